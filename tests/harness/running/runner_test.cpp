#include "harness/running/runner.h"

#include "harness/isolation/isolated.h"
#include "tests/temporary_folder.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

TEST(Runner, ACaseThatFailsKeepsWhatItHadRecorded) {
  FieldReader reader(YamlNode::parse("{checkpoint: nowhere, seq_lengths: [8], batch: 3}", "case"));
  CaseRequest request{.name = "memory", .type = "memory", .device = "cpu"};
  request.config = find_case_type("memory")->read(reader);
  const Record record = run_case_here(to_json(request), "request");
  EXPECT_EQ(record.status, Record::Status::kError);
  EXPECT_NE(record.reason.find("nowhere"), std::string::npos) << record.reason;
  EXPECT_EQ(record.fact("batch"), 3);
  EXPECT_EQ(record.notes.at("device"), "cpu");
  EXPECT_EQ(record.config, request.config);
}

/// Two cases, which would need programs that aren't there.
Suite two_cases() {
  Suite suite{.name = "two", .description = "", .device = "cpu", .cases = {}, .machines = {}};
  for (const char* name : {"one", "two"}) {
    FieldReader reader(YamlNode::parse("{checkpoint: nowhere, seq_lengths: [8]}", "case"));
    CaseSpec spec;
    spec.name = name;
    spec.type = "memory";
    spec.config = find_case_type("memory")->read(reader);
    spec.gates.push_back(
        read_config<GateConfig>(YamlNode::parse("{metric: peak_memory, at_most: 2, unit: GB}", "gate")));
    suite.cases.push_back(spec);
  }
  return suite;
}

/// A self-test in which filling by a mask went wrong, and all else right.
SelfTest failed_selftest(const Device& device) {
  SelfTest test{selftest_place(device), {}};
  for (const Probe& probe : probes()) {
    const bool wrong = std::string(probe.name) == "masked_fill_on_view";
    test.results.push_back({probe.name, !wrong, wrong ? 3.0 : 0.0, 0.5, "scores under a mask", 0});
  }
  return test;
}

TEST(Runner, ADeviceThatFailsItsSelfTestIsNotTimed) {
  int asked = 0;
  RunOptions options;
  options.selftest = [&](const Device& device) {
    ++asked;
    EXPECT_STREQ(device.name, "cpu");
    return failed_selftest(device);
  };
  std::vector<bool> interrupted;
  options.on_case = [&](const Report& report) { interrupted.push_back(report.interrupted); };
  const Report report = run_suite(two_cases(), options);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(interrupted, (std::vector<bool>{true, false}));
  EXPECT_EQ(report.exit_code(), Exit::kCaseError);
  EXPECT_EQ(report.environment.at("selftest"), "failed: 1 of 16 probes: masked_fill_on_view");
  ASSERT_EQ(report.cases.size(), 2u);
  for (const auto& one : report.cases) {
    ASSERT_EQ(one.processes.size(), 1u);
    const Record& record = one.processes[0];
    EXPECT_EQ(record.status, Record::Status::kError);
    EXPECT_EQ(record.reason,
              "the self-test of cpu failed: masked_fill_on_view: is off by 3 (at most 0.5): scores under a mask");
    EXPECT_NE(record.hint.find("pytorch/pytorch#176171"), std::string::npos) << record.hint;
    EXPECT_TRUE(record.series.empty());
    EXPECT_EQ(record.wall_s, 0);
    ASSERT_EQ(one.verdicts.size(), 1u);
    EXPECT_EQ(one.verdicts[0].verdict, Verdict::kError);
  }
}

TEST(Runner, AReportOfADeviceThatFailedItsSelfTestCanBeReadAndVerified) {
  RunOptions options;
  options.selftest = failed_selftest;
  const tests::TemporaryFolder folder;
  const auto file = folder.write("report.json", dumped(to_json(run_suite(two_cases(), options))));
  EXPECT_EQ(read_report(file).environment.at("selftest"), "failed: 1 of 16 probes: masked_fill_on_view");
  const Verification found = verify_report(file);
  EXPECT_TRUE(found.hash_matches);
  EXPECT_EQ(found.differences, std::vector<std::string>{});
}

}  // namespace
}  // namespace bench::harness
