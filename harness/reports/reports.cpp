#include "harness/reports/reports.h"

#include "harness/core/files.h"

#include <cmath>
#include <exception>

namespace bench::harness {
namespace {

constexpr double kNoWholeNumbers = 1e16;  // from here on doubles skip whole numbers, so digits say nothing

constexpr ReportFormat kFormats[] = {
    {"json", "report.json", "everything: samples, configs, environment, metrics, verdicts", write_json},
    {"markdown", "report.md", "tables for people; also a step summary on GitHub", write_markdown},
    {"terminal", "report.txt", "what bench run prints", write_terminal},
    {"html", "report.html", "one page with tables and plots, which needs neither network nor scripts", write_html},
    {"junit", "report.xml", "JUnit XML for CI: a testcase for each gate; what was not judged is skipped", write_junit},
    {"csv", "report.csv", "one row for each metric of each case", write_csv},
    {"google-benchmark", "google-benchmark.json",
     "times as Google Benchmark writes them, for its tools/compare.py: a repetition is a process",
     write_google_benchmark},
    {"github-benchmark", "github-benchmark.json",
     "compared metrics for github-action-benchmark as customSmallerIsBetter: a rate is written as its inverse",
     write_github_benchmark},
};

/// Removes the file that another run left there, and says so. Returns "" if there is no file, or if it is a folder,
/// which is not ours.
std::string removed(const std::filesystem::path& file) {
  std::error_code failed;
  if (!std::filesystem::is_regular_file(file, failed)) return "";
  const bool gone = std::filesystem::remove(file, failed);
  return gone ? "what was there is removed: it would pass for this run's" : "what is there is not this run's";
}

/// Call this where an exception is caught. It returns the exception to throw in its place when the file can't be
/// written.
std::exception_ptr without_older(const std::filesystem::path& file) {
  const std::exception_ptr failure = std::current_exception();
  const std::string also = removed(file);
  if (also.empty()) return failure;
  try {
    std::rethrow_exception(failure);
  } catch (const Error& e) {  // its hint would say that what was there is untouched
    return std::make_exception_ptr(
        Error(e.where(), e.message() + "; " + also, "is the disk full or the folder read-only?", e.exit()));
  } catch (...) {
    return failure;
  }
}

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

void write_report(const Report& report, const std::filesystem::path& folder, const std::vector<std::string>& formats,
                  Unwritten unwritten) {
  std::exception_ptr first;
  for (const auto& name : formats) {
    const ReportFormat& format = find_report_format(name, "format");
    try {
      write_file_atomically(folder / format.file, [&](std::ostream& out) { format.write(report, out); });
    } catch (const std::exception&) {
      const auto failure =
          unwritten == Unwritten::kKept ? std::current_exception() : without_older(folder / format.file);
      if (!first) first = failure;
    }
  }
  if (first) std::rethrow_exception(first);
}

std::string format_number(double value) {
  if (std::isnan(value)) return "-";
  const double size = std::fabs(value);
  if (size >= kNoWholeNumbers) return fmt::format("{:.4g}", value);
  if (size >= 1000 || value == std::trunc(value)) return fmt::format("{:.0f}", value);
  return fmt::format("{:#.4g}", value);
}

std::string format_estimate(const Estimate& e) {
  if (!e.has_interval()) return format_number(e.value);
  return fmt::format("{} [{}, {}]", format_number(e.value), format_number(e.low), format_number(e.high));
}

std::string unit_suffix(const std::string& unit) { return unit == "1" ? "" : " " + unit; }

}  // namespace bench::harness
