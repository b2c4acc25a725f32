#include "harness/reports/reports.h"

#include <algorithm>
#include <cmath>

namespace bench::harness {
namespace {

constexpr std::size_t kWidth = 100;  // columns

/// Cuts `text` into lines of at most `width` bytes at spaces.
std::vector<std::string> wrap(const std::string& text, std::size_t width) {
  std::vector<std::string> lines;
  std::string line;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    const std::string word = text.substr(begin, end - begin);
    if (!line.empty() && line.size() + 1 + word.size() > width) {
      lines.push_back(line);
      line.clear();
    }
    line += (line.empty() ? "" : " ") + word;
    begin = end + 1;
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

void write_indented(const std::string& text, std::size_t indent, std::ostream& out) {
  for (const auto& line : wrap(text, kWidth - indent)) out << std::string(indent, ' ') << line << "\n";
}
void write_indented(const std::string& text, std::ostream& out) { write_indented(text, 14, out); }

void write_gate(const GateResult& gate, bool show_reason, std::ostream& out) {
  const std::string unit = gate.gate.unit == "1" || std::isnan(gate.value) ? "" : " " + gate.gate.unit;
  out << fmt::format("  {:<10}  {:<26} {:>22}   {}\n", verdict_name(gate.verdict), gate.gate.metric,
                     format_number(gate.value) + unit, gate.gate.text());
  if (show_reason) write_indented(gate.reason, out);
  if (gate.verdict != Verdict::kPass) write_indented(gate.gate.reading, out);
}

}  // namespace

void write_terminal(const Report& report, std::ostream& out) {
  for (const auto& one : report.cases) {
    out << fmt::format("\n{} ({}, {:.1f} s)\n", one.record.name, one.record.type, one.record.wall_s);
    if (one.record.status != Record::Status::kOk) {
      out << fmt::format("  {}\n", status_name(one.record.status));
      write_indented(one.record.reason, out);
      if (!one.record.hint.empty()) write_indented("hint: " + one.record.hint, out);
    }
    for (const auto& [metric, estimate] : one.metrics)
      out << fmt::format("  {:<38} {:>34} {}\n", metric->name, format_estimate(estimate),
                         std::string(metric->unit) == "1" ? "" : metric->unit);
    for (const char* note : {"data_fallback", "did_not_fit", "partial_step", "mixed_precision"})
      if (const auto found = one.record.notes.find(note); found != one.record.notes.end())
        write_indented(found->second, out);
    if (!one.gates.empty()) out << "\n";
    // The reason of a case that did not work stands above, once.
    for (const auto& gate : one.gates) write_gate(gate, one.record.status == Record::Status::kOk, out);
  }
  out << "\n";
  write_indented(fmt::format("{}: {}", report.suite, summary_line(report)), 0, out);
}

}  // namespace bench::harness
