#include "harness/reports/reports.h"
#include "harness/reports/summary.h"
#include "harness/reports/text.h"

#include <cmath>

namespace bench::harness {
namespace {

struct Counts {
  std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;
};

struct TestCase {
  std::string case_name, name, outcome, message, output;  // outcome: an element's name, "" for a pass
  double time_s = 0;
};

/// JUnit knows no "not judged" and no expected failure: its readers show both, with the reason, as skipped.
const char* outcome_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "";
    case Verdict::kFail:
      return "failure";
    case Verdict::kError:
      return "error";
    case Verdict::kExpectedFail:
    case Verdict::kNotJudged:
      return "skipped";
  }
  return "error";
}

/// What wasn't run is an error, because a program that reads only this file must not take half a run for a whole one.
const char* outcome_of(const CaseResult& one, Verdict verdict) {
  return one.status() == Record::Status::kNotRun ? "error" : outcome_of(verdict);
}

std::vector<TestCase> tests_of(const CaseResult& one, std::size_t index) {
  std::vector<TestCase> tests;
  for (const auto& result : one.verdicts) {
    const std::string message =
        result.reason.empty() ? "" : std::string(verdict_name(result.verdict)) + ": " + why(result);
    tests.push_back({one.name, fmt::format("{} {}", result.gate.metric, result.gate.text()),
                     outcome_of(one, result.verdict), message, "measured: " + measured_text({index, &one, &result})});
  }
  const Record::Status status = one.status();
  if (tests.empty() && status != Record::Status::kOk)
    tests.push_back({one.name, "runs", status == Record::Status::kSkipped ? "skipped" : "error", one.record().reason,
                     one.record().hint});
  if (!tests.empty()) tests.front().time_s = one.wall_s();  // a case's time counts once, however many gates it has
  return tests;
}

void write_test(const TestCase& test, std::ostream& out) {
  out << fmt::format("    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3f}\">\n", escaped(test.case_name),
                     escaped(test.name), test.time_s);
  if (!test.outcome.empty()) out << fmt::format("      <{} message=\"{}\"/>\n", test.outcome, escaped(test.message));
  if (!test.output.empty()) out << fmt::format("      <system-out>{}</system-out>\n", escaped(test.output));
  out << "    </testcase>\n";
}

void write_properties(const Report& report, std::ostream& out) {
  const std::pair<const char*, std::string> properties[] = {
      {"machine", report.machine()},
      {"commit", commit_text(report.environment)},
      {"device", report.device},
      {"bench_version", environment_text(report.environment, "bench_version")},
      {"exit_code", std::to_string(static_cast<int>(report.exit_code()))},
      {"summary", summary_line(report)}};
  out << "    <properties>\n";
  for (const auto& [name, value] : properties)
    out << fmt::format("      <property name=\"{}\" value=\"{}\"/>\n", name, escaped(value));
  out << "    </properties>\n";
}

Counts count(const std::vector<TestCase>& tests) {
  Counts counts;
  for (const auto& test : tests) {
    ++counts.tests;
    counts.failures += test.outcome == "failure";
    counts.errors += test.outcome == "error";
    counts.skipped += test.outcome == "skipped";
  }
  return counts;
}

}  // namespace

void write_junit(const Report& report, std::ostream& out) {
  std::vector<TestCase> tests;
  double wall_s = 0;
  for (std::size_t i = 0; i < report.cases.size(); ++i) {
    const auto more = tests_of(report.cases[i], i);
    tests.insert(tests.end(), more.begin(), more.end());
    wall_s += report.cases[i].wall_s();
  }
  if (const std::string why = report.interruption(); !why.empty())
    tests.push_back({report.suite, "comes to its end", "error", why, ""});
  const Counts counts = count(tests);
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  out << fmt::format(
      "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{:.3f}\" "
      "timestamp=\"{}\">\n",
      escaped(report.suite), counts.tests, counts.failures, counts.errors, counts.skipped, wall_s,
      escaped(report.created));
  write_properties(report, out);
  for (const auto& test : tests) write_test(test, out);
  out << "  </testsuite>\n</testsuites>\n";
}

}  // namespace bench::harness
