// A report's JSON: read, verified, rendered in every format, compared with itself, as a part of a history, and as what
// is run again.
#include "harness/judging/report.h"

#include "harness/comparison/compare.h"
#include "harness/comparison/history.h"
#include "harness/judging/report_paths.h"
#include "harness/reports/reports.h"
#include "harness/running/rerun.h"
#include "tests/fuzz/entry.h"

#include <sstream>

namespace bench::tests {
namespace {

using namespace harness;

// A page has some thousand bytes of its own; an escaped character takes six, and a line of a config its indentation.
constexpr std::size_t kPage = 100'000, kGrowth = 300;

void render(const Report& report, std::size_t size) {
  for (const auto& format : report_formats()) {
    std::ostringstream out;
    format.write(report, out);
    const std::string text = std::move(out).str(), name = format.name;
    claim(text.size() < kPage + kGrowth * size, name + " is not much longer than the report");
    if (name == "html" || name == "markdown" || name == "junit")
      claim(text.find("<script") == std::string::npos, name + " has no scripts");
  }
}

/// As bench run --from does before it runs anything.
void prepare_rerun(const Report& read) {
  const Report report = with_all_keys(read);
  check_written_paths(report, "report.json", "");
  claim(suite_of_report(report).cases.size() == report.cases.size(), "every case is run again");
}

}  // namespace
}  // namespace bench::tests

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bench::tests;
  const auto file = folder().write("report.json", text_of(data, size));
  take_or_refuse([&] { prepare_rerun(read_report(file)); });
  return take_or_refuse([&] {
    const Report report = read_report(file);
    verify_report(file);
    render(report, size);
    exit_code(compare_reports(report, report, {}));
    std::ostringstream out;
    write_history_html(find_trends({{"a", report}, {"b", report}}), out);
    report.exit_code();
  });
}
