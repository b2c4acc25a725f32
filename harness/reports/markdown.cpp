#include "harness/reports/reports.h"

#include <cmath>

namespace bench::harness {
namespace {

/// Text that may stand in a table's cell.
std::string cell(const std::string& text) {
  std::string safe;
  for (const char c : text) safe += c == '|' ? std::string("\\|") : c == '\n' ? std::string(" ") : std::string(1, c);
  return safe;
}

std::string unit_suffix(const std::string& unit) { return unit == "1" ? "" : " " + unit; }

void write_verdicts(const Report& report, std::ostream& out) {
  out << "| verdict | case | metric | value | gate | why |\n|---|---|---|---|---|---|\n";
  for (const auto& one : report.cases)
    for (const auto& gate : one.gates)
      out << fmt::format(
          "| **{}** | {} | {} | {}{} | {} | {} |\n", verdict_name(gate.verdict), cell(one.record.name),
          gate.gate.metric, format_number(gate.value), std::isnan(gate.value) ? "" : unit_suffix(gate.gate.unit),
          gate.gate.text(),
          cell(gate.reason + (gate.reason.empty() || gate.gate.reading.empty() ? "" : ". ") + gate.gate.reading));
}

void write_series_table(const Record& record, std::ostream& out) {
  const auto& lengths = record.samples("seq_length");
  const auto& peaks = record.samples("peak_memory_bytes");
  if (lengths.empty() || lengths.size() != peaks.size()) return;
  out << "\n| sequence length | peak memory, GB |\n|---:|---:|\n";
  for (std::size_t i = 0; i < lengths.size(); ++i)
    out << fmt::format("| {:.0f} | {} |\n", lengths[i], format_number(peaks[i] * 1e-9));
}

/// Eight values from the first to the last: enough to see the shape of a curve.
void write_loss_curve(const Record& record, std::ostream& out) {
  const auto& losses = record.samples("loss");
  constexpr std::size_t kShown = 8;
  if (losses.size() < 2) return;
  out << "\nLoss by step: ";
  const std::size_t shown = std::min(kShown, losses.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const std::size_t step = i * (losses.size() - 1) / (shown - 1);
    out << fmt::format("{}{}: {:.3f}", i ? ", " : "", step + 1, losses[step]);
  }
  out << "\n";
}

void write_case(const CaseResult& one, std::ostream& out) {
  const Record& record = one.record;
  out << fmt::format("\n## {}\n\n`{}`, {}, {:.1f} s of a budget of {:.0f} s.\n", record.name, record.type,
                     status_name(record.status), record.wall_s, one.budget_s);
  if (!record.reason.empty())
    out << fmt::format("\n{}{}\n", record.reason, record.hint.empty() ? "" : fmt::format(" (hint: {})", record.hint));
  if (!one.metrics.empty()) {
    out << "\n| metric | value | unit | n | |\n|---|---:|---|---:|---|\n";
    for (const auto& [metric, estimate] : one.metrics)
      out << fmt::format("| {} | {} | {} | {} | {} |\n", metric->name, format_estimate(estimate), metric->unit,
                         estimate.n, metric->meaning);
  }
  write_series_table(record, out);
  write_loss_curve(record, out);
  if (!record.notes.empty()) out << "\n";
  for (const auto& [name, text] : record.notes) out << fmt::format("- {}: {}\n", name, text);
}

}  // namespace

void write_markdown(const Report& report, std::ostream& out) {
  out << fmt::format("# {}: {}\n\n{}\n\nMade {} on {}.\n\n", report.suite, summary_line(report), report.description,
                     report.created, report.device);
  write_verdicts(report, out);
  for (const auto& one : report.cases) write_case(one, out);
  out << "\n## Environment\n\n";
  for (const auto& [key, value] : report.environment.items())
    out << fmt::format("- {}: {}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
  out << "\nValues in brackets are 95 % intervals; n is the number of samples behind a value.\n";
}

}  // namespace bench::harness
