#include "harness/running/calibrate.h"

#include "harness/core/files.h"
#include "tests/temporary_folder.h"

#include <cmath>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

/// A run of one decode case whose probe-relative speed and memory are these.
Report run(double share, double memory_gb) {
  Record record;
  record.type = "decode";
  for (std::size_t i = 0; i < 10; ++i) {
    Block block;
    block.matmul_flops_per_s = 1e12;
    block.read_bytes_per_s = 1e9;
    block.samples["decode_step_time_s"] = {i, i + 1};
    record.blocks.push_back(block);
    record.add("decode_step_time_s", "s", 100 / share);
  }
  record.add("peak_memory_bytes", "bytes", memory_gb * 1e9);
  record.facts = {{"batch", 1}, {"work_flops", 1e9}, {"work_bytes", 1e9}, {"operator_calls", 1234}};
  Report report;
  report.environment = {{"processor", "Example CPU"}, {"cores", 2}};
  report.cases.push_back(evaluate_case("decode", "decode", 10, {}, {record}, report.machine()));
  return report;
}

const Reference& reference(const MachineSection& section, const std::string& metric) {
  for (const auto& one : section.references)
    if (one.metric == metric) return one;
  throw std::runtime_error("no reference of " + metric);
}

TEST(Calibrate, BoundsSpeedsBySpreadAndExactMetricsByTheirTolerance) {
  const MachineSection section = calibrate({run(50, 1), run(52, 1.001), run(48, 0.999)}, "2026-11-24");
  EXPECT_EQ(section.machine, "Example CPU, 2 cores");
  const Reference& speed = reference(section, "share_of_ceiling");
  EXPECT_NEAR(speed.reference, 50, 0.1);
  EXPECT_LT(speed.lower, 48);
  EXPECT_GT(speed.upper, 52);
  const Reference& memory = reference(section, "peak_memory");
  EXPECT_NEAR(memory.lower, 0.979, 0.001);
  EXPECT_NEAR(memory.upper, 1.022, 0.001);
  EXPECT_EQ(reference(section, "operator_calls").lower, 1234);
  EXPECT_EQ(reference(section, "operator_calls").upper, 1234);
}

TEST(Calibrate, WhatIsNotANumberIsNoReference) {
  Report odd = run(50, 1);
  Record record = odd.cases[0].processes[0];
  record.facts["operator_calls"] = std::nan("");
  odd.cases[0] = evaluate_case("decode", "decode", 10, {}, {record}, odd.machine());
  EXPECT_THROW(calibrate({run(50, 1), run(52, 1), odd}, ""), Error);
}

TEST(Calibrate, WhatWasCutShortIsNoReference) {
  Report cut = run(50, 1);
  Record record = cut.cases[0].processes[0];
  record.notes[kCameAfterCutNote] = "train: 45 of 400 steps in 100 s";
  cut.cases[0] = evaluate_case("decode", "decode", 10, {}, {record}, cut.machine());
  EXPECT_TRUE(calibrate({run(50, 1), run(52, 1), cut}, "").references.empty());
}

TEST(Calibrate, NeedsThreeRunsOfOneMachine) {
  EXPECT_THROW(calibrate({run(50, 1), run(50, 1)}, ""), Error);
  Report other = run(50, 1);
  other.environment["cores"] = 4;
  EXPECT_THROW(calibrate({run(50, 1), run(50, 1), other}, ""), Error);
}

constexpr const char* kSuite =
    "# a person's comment\nname: mine\ncases:\n  - {name: decode, case: decode, model: {vocab_size: 64, hidden_size: "
    "32,\n"
    "     num_layers: 1, num_heads: 2, num_kv_heads: 1, intermediate_size: 48, max_seq_length: 64},\n"
    "     prompt_tokens: 8, new_tokens: 4}\n";

TEST(Calibrate, WritesASectionThatTheSuiteReadsAsGates) {
  const tests::TemporaryFolder folder;
  const MachineSection section = calibrate({run(50, 1), run(52, 1), run(48, 1)}, "2026-11-24");
  const std::string text = with_machine_section(kSuite, "suite.yaml", section);
  EXPECT_EQ(text.find(kSuite), 0u);  // nothing of what was there changes
  EXPECT_NE(text.find("  - machine: Example CPU, 2 cores\n    date: 2026-11-24\n"), std::string::npos) << text;
  EXPECT_NE(
      text.find(
          "      - {case: decode, metric: operator_calls, reference: 1234, lower: 1234, upper: 1234, unit: calls}\n"),
      std::string::npos)
      << text;
  const Suite suite = read_suite(folder.write("suite.yaml", text).string());
  ASSERT_EQ(suite.cases[0].gates.size(), section.references.size());
  EXPECT_EQ(suite.cases[0].gates[0].machine.text, "Example CPU, 2 cores");
}

TEST(Calibrate, ReplacesTheSameMachinesSectionAndKeepsOthers) {
  MachineSection section{"CPU A", "2026-01-01", "old", {{"decode", "peak_memory", "GB", 1, 1, 1}}};
  std::string text = with_machine_section(kSuite, "s", section);
  section.machine = "CPU B";
  text = with_machine_section(text, "s", section);
  section.machine = "CPU A";
  section.reason = "new";
  text = with_machine_section(text, "s", section);
  EXPECT_EQ(text.find("reason: old"), text.rfind("reason: old"));  // that of B
  EXPECT_LT(text.find("machine: CPU A"), text.find("machine: CPU B"));
  EXPECT_NE(text.find("reason: new"), std::string::npos);
  EXPECT_EQ(with_machine_section(text, "s", section), text);
}

TEST(Calibrate, CaseNamesStandInQuotesWhereTheyMust) {
  std::string suite = kSuite;
  suite.replace(suite.find("name: decode"), 12, "name: \"decode, batch: 4\"");
  const MachineSection section{"CPU A", "2026-11-26", "runs", {{"decode, batch: 4", "peak_memory", "GB", 1, 1, 1}}};
  const std::string text = with_machine_section(suite, "s", section);
  EXPECT_NE(text.find("{case: \"decode, batch: 4\", metric: peak_memory,"), std::string::npos) << text;
  EXPECT_EQ(read_suite_text(text, "s").cases[0].gates.size(), 1u);
}

TEST(Calibrate, NeverWritesASuiteThatCanNotBeRead) {
  const MachineSection section{"CPU A", "2026-11-26", "runs", {{"no such case", "peak_memory", "GB", 1, 1, 1}}};
  try {
    with_machine_section(kSuite, "suite.yaml", section);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.where(), "suite.yaml");
    EXPECT_NE(e.message().find("no case 'no such case' in this suite"), std::string::npos) << e.message();
  }
}

TEST(Calibrate, AReferenceOfAnUnknownCaseIsAnError) {
  const tests::TemporaryFolder folder;
  const std::string text =
      std::string(kSuite) +
      "machines:\n  - machine: X\n    references:\n      - {case: decod, metric: peak_memory, reference: 1, "
      "lower: 1, upper: 1, unit: GB}\n";
  try {
    read_suite(folder.write("suite.yaml", text).string());
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("no case 'decod' in this suite"), std::string::npos) << e.what();
    EXPECT_NE(std::string(e.what()).find("suite.yaml:10:"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace bench::harness
