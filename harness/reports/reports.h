#pragma once

#include "harness/judging/report.h"

#include <ostream>
#include <span>
#include <string>
#include <vector>

namespace bench::harness {

struct Trend;

/// A rendering of a report.
struct ReportFormat {
  const char* name;
  const char* file;  // its name in the report's folder
  const char* meaning;
  void (*write)(const Report&, std::ostream&);
};

std::span<const ReportFormat> report_formats();
/// Throws Error at `where` listing the known names.
const ReportFormat& find_report_format(const std::string& name, const std::string& where);

/// What happens to the file that is there already when a new one can't be written.
enum class Unwritten {
  kKept,
  kRemoved,  // the old file is another run's and would read as the result of this one; removing needs no space
};

/// Writes the report into a folder in these formats, whose names find_report_format must know. If one format can't be
/// written, all others still are; then the Error of the first such format is thrown.
void write_report(const Report& report, const std::filesystem::path& folder, const std::vector<std::string>& formats,
                  Unwritten unwritten = Unwritten::kKept);

void write_json(const Report& report, std::ostream& out);
void write_markdown(const Report& report, std::ostream& out);
void write_terminal(const Report& report, std::ostream& out);
void write_html(const Report& report, std::ostream& out);
void write_junit(const Report& report, std::ostream& out);
void write_csv(const Report& report, std::ostream& out);
void write_google_benchmark(const Report& report, std::ostream& out);
void write_github_benchmark(const Report& report, std::ostream& out);

/// A page with a chart for each trend; the trends come from find_trends.
void write_history_html(const std::vector<Trend>& trends, std::ostream& out);

/// A number with four significant digits, as every rendering shows it: "1.234", "0.001234", "123400".
std::string format_number(double value);
/// "1.234 [1.2, 1.3]", or the value alone when there is no interval.
std::string format_estimate(const Estimate& estimate);
/// " GB", or "" for numbers without a unit.
std::string unit_suffix(const std::string& unit);

}  // namespace bench::harness
