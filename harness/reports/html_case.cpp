#include "harness/reports/html_parts.h"
#include "harness/reports/plots.h"
#include "harness/reports/reports.h"
#include "harness/reports/summary.h"
#include "harness/reports/text.h"

#include <cmath>

namespace bench::harness {
namespace {

constexpr std::size_t kMostDisturbances = 20, kMostConfig = 64 << 10;  // bytes

/// A config in indented lines. Where indenting would fill pages, the config is on one line; where that line is too long
/// as well, only its beginning is shown.
std::string config_text(const Json& config) {
  std::string text = dumped(config, 2);
  if (text.size() > kMostConfig) text = dumped(config);
  return text.size() <= kMostConfig ? text : text.substr(0, kMostConfig) + "... (report.json has all of it)";
}

void write_head(const CaseResult& one, std::ostream& out) {
  const Record& record = one.record();
  out << fmt::format("<h3>{} <span class=\"type\">{}, {}</span></h3>\n", escaped(one.name), escaped(one.type),
                     status_name(one.status()));
  const std::string effort = one.effort();
  out << fmt::format("<p class=\"soft\">{}{}</p>\n", effort.empty() ? "" : escaped(effort) + ". ", time_text(one));
  if (!record.reason.empty())
    out << fmt::format("<p class=\"status\"><strong>{}</strong>: {}{}</p>\n", status_name(one.status()),
                       escaped(record.reason),
                       record.hint.empty() ? "" : fmt::format("<br><em>{}</em>", escaped(record.hint)));
  if (one.verdicts.empty()) return;
  out << "<p class=\"badges\">";
  for (const auto& result : one.verdicts)
    out << fmt::format("<span>{} {} {}</span>\n", verdict_badge(result.verdict), result.gate.metric,
                       escaped(result.gate.text()));
  out << "</p>\n";
}

std::string interval_text(const Estimate& e) {
  if (!e.has_interval()) return "";
  const std::string range = fmt::format("[{}, {}]", format_number(e.low), format_number(e.high));
  const double half = e.relative_half_width();
  return std::isinf(half) ? range : range + fmt::format(" \u00b1{:.2g} %", 100 * half);
}

void write_metrics(const CaseResult& one, std::ostream& out) {
  if (one.metrics.empty()) return;
  out << "<div class=\"scroll\"><table class=\"numbers\"><thead><tr><th>metric<th>value<th>95 % "
         "interval<th>n</thead><tbody>\n";
  for (const auto& [metric, e] : one.metrics)
    out << fmt::format("<tr><td>{}<td>{}{}<td>{}<td>{}\n", metric->name, format_number(e.value),
                       unit_suffix(metric->unit), interval_text(e), e.n);
  out << "</tbody></table></div>\n";
}

void write_plots(const CaseResult& one, std::ostream& out) {
  const std::string figures = plot_samples(one) + plot_loss(one) + plot_memory(one) + plot_probe(one);
  if (!figures.empty()) out << "<div class=\"plots\">\n" << figures << "</div>\n";
}

void write_notes(const Record& record, std::ostream& out) {
  if (record.notes.empty()) return;
  out << "<dl>\n";
  for (const auto& [name, text] : record.notes) out << fmt::format("<dt>{}<dd>{}\n", escaped(name), escaped(text));
  out << "</dl>\n";
}

void write_disturbances(const CaseResult& one, std::ostream& out) {
  std::string rows;
  std::size_t count = 0;
  for (std::size_t p = 0; p < one.processes.size(); ++p) {
    const auto reasons = one.processes[p].disturbances();
    for (std::size_t b = 0; b < reasons.size(); ++b) {
      const Block& block = one.processes[p].blocks[b];
      if (!block.warmup && !reasons[b].empty() && count++ < kMostDisturbances)
        rows += fmt::format("<li>process {}, block {} ({:.1f} to {:.1f} s): {}</li>\n", p + 1, b + 1, block.begin_s,
                            block.end_s, escaped(reasons[b]));
    }
  }
  for (std::size_t p = 0; p < one.processes.size(); ++p)
    if (const std::string most = one.processes[p].was_disturbed(); !most.empty())
      out << fmt::format("<p class=\"status\">Process {}: {}; all of its blocks after warm-up are counted.</p>\n",
                         p + 1, escaped(most));
  if (count == 0) return;
  if (count > kMostDisturbances) rows += fmt::format("<li>and {} more</li>\n", grouped(count - kMostDisturbances));
  out << fmt::format("<details><summary>Disturbed blocks ({})</summary><ul>\n{}</ul></details>\n", grouped(count),
                     rows);
}

void write_config(const Record& record, std::ostream& out) {
  if (!record.inputs.empty()) {
    out << "<details><summary>Input files</summary><dl>\n";
    for (const auto& [file, hash] : record.inputs)
      out << fmt::format("<dt>{}<dd>xxh128 {}\n", escaped(file), escaped(hash));
    out << "</dl></details>\n";
  }
  out << fmt::format("<details><summary>Effective config</summary><pre>{}</pre></details>\n",
                     escaped(config_text(record.config)));
}

}  // namespace

void write_html_case(const CaseResult& one, std::size_t index, bool detailed, std::ostream& out) {
  out << fmt::format("<section class=\"case\" id=\"{}\">\n", case_anchor(index));
  write_head(one, out);
  out << "<div class=\"body\">\n";
  write_metrics(one, out);
  if (detailed) write_plots(one, out);
  out << "</div>\n";
  if (detailed) {
    write_html_memory(one.record(), out);
    write_notes(one.record(), out);
    write_disturbances(one, out);
    write_config(one.record(), out);
  }
  out << "</section>\n";
}

}  // namespace bench::harness
