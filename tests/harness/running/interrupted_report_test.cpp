// Reports of runs that did not come to their end.
#include "harness/comparison/compare.h"
#include "harness/core/files.h"
#include "harness/reports/reports.h"
#include "harness/running/calibrate.h"
#include "harness/running/rerun.h"
#include "tests/temporary_folder.h"

#include <sstream>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

GateConfig gate(const std::string& yaml) { return read_config<GateConfig>(YamlNode::parse(yaml, "g")); }

Record memory_record(double peak_bytes) {
  Record record;
  record.name = record.type = "memory";
  record.config = {{"seq_lengths", {8}}};
  record.add("peak_memory_bytes", "bytes", peak_bytes);
  return record;
}

Record with_status(Record::Status status, const std::string& reason) {
  Record record = memory_record(1e9);
  record.status = status, record.reason = reason;
  record.series.clear();
  return record;
}

CaseResult a_case(const std::string& name, const Record& record, const std::vector<CaseResult>& earlier = {},
                  const std::string& more = "") {
  CaseResult result = evaluate_case(
      name, "memory", 5,
      {gate("{metric: peak_memory, at_most: 2, unit: " + (more.empty() ? "GB" : "'1', relative_to: " + more) + "}")},
      {record}, "Example CPU, 2 cores", earlier);
  result.most_processes = 3;
  return result;
}

/// One case that passed, two whose turn had not come, the last relative to the second.
Report interrupted() {
  Report report{.suite = "three",
                .description = "",
                .device = "cpu",
                .created = "2026-11-24T12:00:00Z",
                .seed = 7,
                .environment = {{"processor", "Example CPU"}, {"cores", 2}},
                .before = {},
                .after = {},
                .interrupted = true,
                .cases = {a_case("one", memory_record(1e9))}};
  const Record not_run = with_status(Record::Status::kNotRun, "was not run");
  report.cases.push_back(a_case("two", not_run));
  report.cases.push_back(a_case("three", not_run, report.cases, "two"));
  return report;
}

/// The same with nothing left to run, but for processes.
Report all_cases_ran() {
  Report report = interrupted();
  report.cases.resize(1);
  return report;
}

std::string render(const Report& report, void (*write)(const Report&, std::ostream&)) {
  std::ostringstream out;
  write(report, out);
  return out.str();
}

Verification verified(const std::string& text) {
  const tests::TemporaryFolder folder;
  return verify_report(folder.write("report.json", text));
}

TEST(InterruptedReport, NeverReadsAsPassed) {
  for (const auto& [report, why] :
       {std::pair{interrupted(), "interrupted: 1 of 3 cases ran"},
        std::pair{all_cases_ran(), "interrupted: 1 of 1 cases ran, perhaps not all of their processes"}}) {
    EXPECT_EQ(report.exit_code(), Exit::kNotJudged);
    EXPECT_EQ(summary_line(report).rfind(std::string(why) + "; 1 of", 0), 0u) << summary_line(report);
    EXPECT_EQ(Json::parse(render(report, write_json))["exit_code"], 4);
    for (auto* write : {write_markdown, write_html, write_terminal, write_junit})
      EXPECT_NE(render(report, write).find(why), std::string::npos);
  }
}

TEST(InterruptedReport, ACaseWhoseTurnHadNotComeIsNotJudgedAndItsReasonIsSaid) {
  const Report report = interrupted();
  EXPECT_EQ(report.cases[1].status(), Record::Status::kNotRun);
  EXPECT_EQ(report.cases[1].verdicts[0].verdict, Verdict::kNotJudged);
  EXPECT_EQ(report.cases[1].verdicts[0].reason, "was not run");
  EXPECT_EQ(report.cases[2].verdicts[0].reason, "was not run");
  const CaseResult relative = a_case("four", memory_record(1e9), report.cases, "two");
  EXPECT_EQ(relative.verdicts[0].verdict, Verdict::kNotJudged);
  EXPECT_EQ(relative.verdicts[0].reason, "two: was not run");
  EXPECT_EQ(to_json(report)["cases"][1]["status"], "not_run");
}

TEST(InterruptedReport, JunitHasWhatWasNotRunAndTheRunItselfAsErrors) {
  const std::string xml = render(interrupted(), write_junit);
  EXPECT_NE(xml.find("tests=\"4\" failures=\"0\" errors=\"3\" skipped=\"0\""), std::string::npos) << xml;
  EXPECT_NE(xml.find("<error message=\"not_judged: was not run\"/>"), std::string::npos) << xml;
  Report no_gates = interrupted();
  for (auto& one : no_gates.cases) one.gates.clear(), one.verdicts.clear();
  EXPECT_NE(render(no_gates, write_junit).find("tests=\"3\" failures=\"0\" errors=\"3\""), std::string::npos);
  EXPECT_NE(render(all_cases_ran(), write_junit).find("tests=\"2\" failures=\"0\" errors=\"1\""), std::string::npos);
}

TEST(InterruptedReport, FailuresAndErrorsAreWorseThanAnInterruption) {
  Report failed = interrupted();
  failed.cases[0] = a_case("one", memory_record(3e9));
  EXPECT_EQ(failed.exit_code(), Exit::kGateFailed);
  Report errored = interrupted();
  errored.cases[0] = a_case("one", with_status(Record::Status::kError, "crashed"));
  EXPECT_EQ(errored.exit_code(), Exit::kCaseError);
}

TEST(InterruptedReport, IsReadBackAndVerifiedAsOne) {
  for (const auto& report : {interrupted(), all_cases_ran()}) {
    const std::string text = render(report, write_json);
    const tests::TemporaryFolder folder;
    EXPECT_EQ(render(read_report(folder.write("report.json", text)), write_json), text);
    const Verification found = verified(text);
    EXPECT_TRUE(found.hash_matches);
    EXPECT_EQ(found.differences, std::vector<std::string>{});
    EXPECT_EQ(found.interruption, report.interruption());
  }
}

TEST(InterruptedReport, WhoTakesTheMarkOutIsFoundOut) {
  Json json = to_json(all_cases_ran());
  json.erase("interrupted");
  const Verification found = verified(json.dump());
  EXPECT_FALSE(found.hash_matches);
  EXPECT_EQ(found.differences.size(), 2u);  // the summary and the exit code
}

TEST(InterruptedReport, ARunThatCameToItsEndSaysNothingOfIt) {
  Report report = all_cases_ran();
  report.interrupted = false;
  EXPECT_EQ(report.interruption(), "");
  EXPECT_EQ(report.exit_code(), Exit::kOk);
  EXPECT_FALSE(to_json(report).contains("interrupted"));
  EXPECT_EQ(verified(render(report, write_json)).interruption, "");
}

TEST(InterruptedReport, IsRunAgainAsItWasMeant) {
  const Suite suite = suite_of_report(with_all_keys(interrupted()));
  ASSERT_EQ(suite.cases.size(), 3u);
  for (const auto& spec : suite.cases) {
    EXPECT_EQ(spec.processes, 3);
    EXPECT_EQ(spec.config.at("seq_lengths"), Json({8}));
  }
  Report whole = all_cases_ran();
  whole.interrupted = false;
  EXPECT_EQ(suite_of_report(whole).cases[0].processes, 1);  // as many as it had
}

TEST(InterruptedReport, CompareCannotTellOfWhatWasNotRun) {
  Report whole = interrupted();
  for (std::size_t i = 1; i < 3; ++i) whole.cases[i] = a_case(whole.cases[i].name, memory_record(1e9));
  for (const auto& [base, now, which] : {std::tuple{interrupted(), whole, "base"}, {whole, interrupted(), "new"}}) {
    const auto rows = compare_reports(base, now, {});
    EXPECT_EQ(exit_code(rows), Exit::kNotJudged);
    EXPECT_EQ(rows.back().case_name, "three");
    EXPECT_EQ(rows.back().change, Change::kCantTell);
    EXPECT_EQ(rows.back().why, std::string(which) + ": was not run");
  }
}

TEST(InterruptedReport, IsNoReference) {
  EXPECT_THROW(calibrate({all_cases_ran(), all_cases_ran(), all_cases_ran()}, "2026-11-24"), Error);
}

TEST(InterruptedReport, AFormatThatCannotBeWrittenLosesNoOther) {
  const tests::TemporaryFolder folder;
  folder.write("report.md/in the way", "");
  try {
    write_report(interrupted(), folder.path(), {"markdown", "json", "junit"});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.where(), (folder.path() / "report.md").string());
  }
  EXPECT_TRUE(std::filesystem::is_regular_file(folder.path() / "report.json"));
  EXPECT_TRUE(std::filesystem::is_regular_file(folder.path() / "report.xml"));
}

TEST(InterruptedReport, AFolderInTheWayIsNoFileOfAnEarlierRun) {
  const tests::TemporaryFolder folder;
  folder.write("report.md/in the way", "");
  EXPECT_THROW(write_report(interrupted(), folder.path(), {"markdown"}, Unwritten::kRemoved), Error);
  EXPECT_TRUE(std::filesystem::is_directory(folder.path() / "report.md"));
}

}  // namespace
}  // namespace bench::harness
