#include "harness/reports/reports.h"
#include "harness/reports/summary.h"

#include <cmath>

namespace bench::harness {
namespace {

/// A field as RFC 4180 wants it: quoted where it holds what separates fields or lines. Spreadsheets take text that
/// begins like a formula for a formula and would run it. An apostrophe before such text says that it is text.
std::string field(std::string text) {
  if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) text.insert(0, "'");
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

/// All digits of a number; "" for a value that isn't finite.
std::string field(double value) { return std::isfinite(value) ? fmt::format("{}", value) : ""; }

}  // namespace

void write_csv(const Report& report, std::ostream& out) {
  out << "suite,case,type,metric,unit,better,value,low,high,n,processes,machine,commit,created\r\n";
  const std::string of_report =
      fmt::format("{},{},{}", field(report.machine()), field(commit_text(report.environment)), field(report.created));
  for (const auto& one : report.cases)
    for (const auto& [metric, e] : one.metrics)
      out << fmt::format("{},{},{},{},{},{},{},{},{},{},{},{}\r\n", field(report.suite), field(one.name),
                         field(one.type), metric->name, field(std::string(metric->unit)), better_name(metric->better),
                         field(e.value), field(e.low), field(e.high), e.n, one.processes.size(), of_report);
}

}  // namespace bench::harness
