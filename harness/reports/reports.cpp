#include "harness/reports/reports.h"

#include <cmath>

namespace bench::harness {
namespace {

constexpr ReportFormat kFormats[] = {
    {"json", "report.json", "everything: samples, configs, environment, metrics, verdicts", write_json},
    {"markdown", "report.md", "tables for people", write_markdown},
    {"terminal", "report.txt", "what bench run prints", write_terminal},
};

}  // namespace

std::span<const ReportFormat> report_formats() { return kFormats; }

const ReportFormat& find_report_format(const std::string& name, const std::string& where) {
  std::vector<std::string> known;
  for (const auto& format : kFormats) {
    if (name == format.name) return format;
    known.push_back(format.name);
  }
  throw Error(where, fmt::format("unknown format '{}'", name), unknown_name_hint(name, known));
}

std::string format_number(double value) {
  if (std::isnan(value)) return "-";
  const double size = std::fabs(value);
  if (size >= 1000 || value == std::trunc(value)) return fmt::format("{:.0f}", value);
  return fmt::format("{:#.4g}", value);
}

std::string format_estimate(const Estimate& e) {
  if (e.low == e.high) return format_number(e.value);
  return fmt::format("{} [{}, {}]", format_number(e.value), format_number(e.low), format_number(e.high));
}

}  // namespace bench::harness
