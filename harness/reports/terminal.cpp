#include "harness/reports/reports.h"
#include "harness/reports/summary.h"
#include "harness/reports/text.h"

namespace bench::harness {
namespace {

constexpr std::size_t kIndent = 17;  // of what explains a verdict

/// Writes one line if the row fits; otherwise, what doesn't fit goes to lines of its own.
void write_row(const std::string& beginning, const std::string& rest, std::ostream& out) {
  if (columns(beginning) + columns(rest) <= kTerminalColumns) {
    out << one_line(beginning + rest) << "\n";
    return;
  }
  write_wrapped(beginning, 2, out);
  write_wrapped(rest, kIndent, out);
}

void write_metric(const MetricValue& value, std::ostream& out) {
  write_row("  " + padded(shortened(value.metric->name, 38), 38) + " ",
            padded_left(format_estimate(value.estimate), 36) + unit_suffix(value.metric->unit), out);
}

/// The measured text without its interval, which stands among the metrics above. A ratio keeps its interval, which
/// doesn't stand there.
std::string measured_here(const JudgedGate& gate) {
  const std::string text = measured_text(gate);
  if (text == "-" || !gate.result->gate.relative_to.empty()) return text;
  return format_number(gate.result->measured.value) + unit_suffix(gate.result->gate.unit);
}

void write_gate(const JudgedGate& gate, bool show_reason, std::ostream& out) {
  const GateResult& result = *gate.result;
  write_row(fmt::format("  {:<13}  {}", verdict_name(result.verdict), padded(shortened(result.gate.metric, 28), 28)),
            fmt::format(" {:>22}   {}", measured_here(gate), result.gate.text()), out);
  if (show_reason) write_wrapped(result.reason, kIndent, out);
  if (result.verdict != Verdict::kPass) write_wrapped(result.gate.reading, kIndent, out);
}

void write_problem(const Record& record, std::ostream& out) {
  out << fmt::format("  {}\n", status_name(record.status));
  write_wrapped(record.reason, kIndent, out);
  if (!record.hint.empty()) write_wrapped("hint: " + record.hint, kIndent, out);
}

void write_case(const CaseResult& one, std::size_t index, std::ostream& out) {
  const bool worked = one.status() == Record::Status::kOk;
  out << fmt::format("\n{} ({}, {:.1f} s)\n", shortened(one.name, 60), shortened(one.type, 20), one.wall_s());
  if (const std::string effort = one.effort(); !effort.empty()) write_wrapped(effort, 2, out);
  if (!worked) write_problem(one.record(), out);
  for (const auto& value : one.metrics) write_metric(value, out);
  for (std::size_t i = 0; i < one.processes.size(); ++i)
    if (const std::string disturbed = one.processes[i].was_disturbed(); !disturbed.empty())
      write_wrapped(fmt::format("process {}: {}", i + 1, disturbed), 2, out);
  for (const char* note : {"data_fallback", "did_not_fit", kOutOfMemoryNote, "cut_short", "partial_step",
                           "partial_round", "mixed_precision", kPeakPartsNote, kHeatNote})
    if (const auto found = one.record().notes.find(note); found != one.record().notes.end())
      write_wrapped(found->second, 2, out);
  if (!one.verdicts.empty()) out << "\n";
  // The reason of a case that did not work stands above, once.
  for (const auto& result : one.verdicts) write_gate({index, &one, &result}, worked, out);
}

}  // namespace

void write_terminal(const Report& report, std::ostream& out) {
  for (std::size_t i = 0; i < report.cases.size(); ++i) write_case(report.cases[i], i, out);
  out << "\n";
  write_wrapped(fmt::format("{}: {}", report.suite, summary_line(report)), 0, out);
}

}  // namespace bench::harness
