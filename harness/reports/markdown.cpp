#include "harness/reports/reports.h"
#include "harness/reports/summary.h"
#include "harness/reports/text.h"

#include <algorithm>
#include <cctype>

namespace bench::harness {
namespace {

// GitHub cuts a step summary at 1 MiB. What is left out is the least urgent, and the text says how much it was.
constexpr std::size_t kMostGates = 1000, kMostCases = 200;

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

/// Whether the character at i would be markup: an underscore within a word isn't, and these others only where a line
/// begins.
bool is_markup(const std::string& line, std::size_t i) {
  if (line[i] == '_') return i == 0 || i + 1 == line.size() || !is_word(line[i - 1]) || !is_word(line[i + 1]);
  return std::string_view(i == 0 && line.size() > 1 ? "|*`[]\\~#-+=" : "|*`[]\\~").find(line[i]) !=
         std::string_view::npos;
}

/// Escapes text so that it stays text: in a table's cell, in a line, and in HTML, which Markdown would let through.
std::string plain(const std::string& text) {
  std::string line = one_line(text), safe;
  line.erase(0, line.find_first_not_of(' '));  // four of them would be code
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '<')
      safe += "&lt;";
    else if (line[i] == '>')
      safe += "&gt;";
    else if (line[i] == '&')
      safe += "&amp;";
    else
      safe += is_markup(line, i) ? std::string("\\") + line[i] : std::string(1, line[i]);
  }
  return safe;
}

/// A name in the font of code, or as plain text where it is no plain word.
std::string code(const std::string& name) {
  const bool word = std::ranges::all_of(name, [](char c) { return is_word(c) || c == '_' || c == '-'; });
  return word ? "`" + name + "`" : plain(name);
}

void write_verdicts(const Report& report, std::ostream& out) {
  const auto gates = gates_by_urgency(report);
  if (gates.empty()) return;
  out << "| verdict | case | metric | value | gate | why |\n|---|---|---|---|---|---|\n";
  for (std::size_t i = 0; i < std::min(kMostGates, gates.size()); ++i)
    out << fmt::format("| **{}** | {} | {} | {} | {} | {} |\n", verdict_name(gates[i].result->verdict),
                       plain(gates[i].of->name), gates[i].result->gate.metric, plain(measured_text(gates[i])),
                       plain(gates[i].result->gate.text()), plain(why(*gates[i].result)));
  if (gates.size() > kMostGates)
    out << fmt::format("\nThe first {} of {} gates are shown, the urgent ones first.\n", grouped(kMostGates),
                       grouped(gates.size()));
}

void write_memory_table(const Record& record, std::ostream& out) {
  const auto& lengths = record.samples(series::kSeqLength);
  const auto& peaks = record.samples(series::kPeakMemoryBytes);
  const auto& predicted = record.samples(series::kPredictedMemoryBytes);
  if (lengths.empty() || lengths.size() != peaks.size()) return;
  const bool both = predicted.size() == lengths.size();
  out << fmt::format("\n| sequence length | peak memory, GB |{}\n|---:|---:|{}\n", both ? " predicted, GB |" : "",
                     both ? "---:|" : "");
  for (std::size_t i = 0; i < lengths.size(); ++i)
    out << fmt::format("| {} | {} |{}\n", format_number(lengths[i]), format_number(peaks[i] * 1e-9),
                       both ? fmt::format(" {} |", format_number(predicted[i] * 1e-9)) : "");
}

/// Eight values from the first to the last: enough to see the shape of a curve.
void write_loss_curve(const Record& record, std::ostream& out) {
  const auto& losses = record.samples(series::kLoss);
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

void write_metrics(const CaseResult& one, std::ostream& out) {
  if (one.metrics.empty()) return;
  out << "\n| metric | value | unit | n | |\n|---|---:|---|---:|---|\n";
  for (const auto& [metric, estimate] : one.metrics)
    out << fmt::format("| {} | {} | {} | {} | {} |\n", metric->name, format_estimate(estimate), metric->unit,
                       estimate.n, metric->meaning);
}

void write_case(const CaseResult& one, std::ostream& out) {
  const Record& record = one.record();
  out << fmt::format("\n## {}\n\n{}, {}, {}.", plain(one.name), code(one.type), status_name(one.status()),
                     time_text(one));
  const std::string effort = one.effort();
  out << (effort.empty() ? "\n" : fmt::format(" {}.\n", effort));
  if (!record.reason.empty())
    out << fmt::format("\n{}{}\n", plain(record.reason),
                       record.hint.empty() ? "" : fmt::format(" (hint: {})", plain(record.hint)));
  write_metrics(one, out);
  write_memory_table(record, out);
  write_loss_curve(record, out);
  if (!record.notes.empty()) out << "\n";
  for (const auto& [name, text] : record.notes) out << fmt::format("- {}: {}\n", plain(name), plain(text));
}

}  // namespace

void write_markdown(const Report& report, std::ostream& out) {
  out << fmt::format("# {}: {}\n\nExit code {}: {}.\n\n{}\n\nMade {} on {}, {}.\n\n", plain(report.suite),
                     plain(summary_line(report)), static_cast<int>(report.exit_code()),
                     exit_meaning(report.exit_code()), plain(report.description), plain(report.created),
                     plain(report.machine()), plain(report.device));
  write_verdicts(report, out);
  for (std::size_t i = 0; i < std::min(kMostCases, report.cases.size()); ++i) write_case(report.cases[i], out);
  if (report.cases.size() > kMostCases)
    out << fmt::format("\nThe first {} of {} cases are shown; the other formats have all.\n", kMostCases,
                       grouped(report.cases.size()));
  out << "\n## Environment\n\n";
  for (const auto& [key, value] : report.environment.items())
    out << fmt::format("- {}: {}\n", plain(key), plain(environment_text(report.environment, key)));
  out << "\nValues in brackets are 95 % intervals; n is the number of samples, or of processes, behind a value.\n";
}

}  // namespace bench::harness
