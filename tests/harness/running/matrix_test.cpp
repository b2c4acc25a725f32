#include "harness/running/matrix.h"

#include "harness/running/suite.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

/// A suite of one operator case with these lines more.
std::string with(const std::string& lines, const std::string& name = "op") {
  return "name: t\ncases:\n  - name: " + name + "\n    case: operator\n    model: configs/model_quick.yaml\n" + lines;
}

std::string error_of(const std::string& text) {
  try {
    read_suite_text(text, "suite.yaml");
  } catch (const Error& e) {
    return e.where() + ": " + e.message();
  }
  return "";
}

TEST(Matrix, ACaseStandsForEachCombinationAndItsNameSaysWhich) {
  const Suite suite = read_suite_text(with("    matrix: {tokens: [64, 128], batch: [1, 4]}\n"), "suite.yaml");
  EXPECT_EQ(case_names(suite), (std::vector<std::string>{"op-tokens:64-batch:1", "op-tokens:64-batch:4",
                                                         "op-tokens:128-batch:1", "op-tokens:128-batch:4"}));
  EXPECT_EQ(suite.cases[2].config["tokens"], 128);
  EXPECT_EQ(suite.cases[2].config["batch"], 1);
}

TEST(Matrix, ReachesIntoConfigsAndTakesOneValueWithoutBrackets) {
  const Suite suite = read_suite_text(with("    matrix: {model.num_layers: [1, 2], dtype: bf16}\n"), "suite.yaml");
  ASSERT_EQ(suite.cases.size(), 2u);
  EXPECT_EQ(suite.cases[1].config["model"]["num_layers"], 2);
  EXPECT_EQ(suite.cases[1].config["model"]["hidden_size"], suite.cases[0].config["model"]["hidden_size"]);
  EXPECT_EQ(suite.cases[1].config["dtype"], "bf16");
}

TEST(Matrix, PlaceholdersStandForTheValuesAndAnAxisMayBeOnlyThat) {
  const Suite suite = read_suite_text(
      "name: t\ncases:\n  - name: echo ${{ text }}\n    case: command\n    command: [echo, '${{text}} and ${{text}}']\n"
      "    matrix: {text: [a, b]}\n  - {name: after, case: command, command: [echo], after: [echo a]}\n",
      "suite.yaml");
  EXPECT_EQ(case_names(suite), (std::vector<std::string>{"echo a", "echo b", "after"}));
  EXPECT_EQ(suite.cases[1].config["command"], Json({"echo", "b and b"}));
}

TEST(Matrix, AGateStandsForAllOrForOne) {
  const Suite suite = read_suite_text(
      with("    matrix: {batch: [1, 4]}\n    gates:\n      - {metric: operator_time, below: 9, unit: us}\n"
           "      - {metric: operator_time, below: 5, unit: us, only: {batch: 4}}\n"),
      "suite.yaml");
  EXPECT_EQ(suite.cases[0].gates.size(), 1u);
  ASSERT_EQ(suite.cases[1].gates.size(), 2u);
  EXPECT_EQ(suite.cases[1].gates[1].limit()[0], 5);
}

TEST(Matrix, OverridesReachAllOrOneOfItsCases) {
  const auto overrides = [](const std::vector<std::string>& set, const std::vector<std::string>& axes = {}) {
    return read_suite(BENCH_SOURCE_DIR "/tests/harness/running/matrix.yaml", set, axes);
  };
  EXPECT_EQ(overrides({"cases.op.budget_s=7"}).cases[0].budget_s, 7);
  EXPECT_EQ(overrides({"cases.op.budget_s=7"}).cases[1].budget_s, 7);
  EXPECT_EQ(overrides({"cases.op-batch:4.budget_s=7"}).cases[0].budget_s, 120);
  EXPECT_EQ(overrides({"cases.op-batch:4.budget_s=7"}).cases[1].budget_s, 7);
  EXPECT_THROW(overrides({"cases.op-batch:5.budget_s=7"}), Error);
  EXPECT_THROW(overrides({"cases.op.batch=7"}), Error);  // two cases that say 1 and 4 would both be 7
  EXPECT_THROW(overrides({"cases.op-batch:4.batch=7"}), Error);
  EXPECT_EQ(overrides({}, {"tokens=8,16"}).cases.size(), 4u);
  EXPECT_EQ(overrides({}, {"batch=9"}).cases[0].config["batch"], 9);  // in the place of the file's axis
  EXPECT_THROW(overrides({}, {"nothing=1,2"}), Error);
  for (const char* wrong : {"tokens", "tokens=", "tokens=1,,2", "=1"})
    EXPECT_THROW(overrides({}, {wrong}), Error) << wrong;
}

TEST(Matrix, WhatCannotBeMeantIsAnErrorAtItsPlace) {
  EXPECT_EQ(error_of(with("    matrix: {batch: []}\n")),
            "suite.yaml:6:21: cases[0].matrix.batch: the axis has no values");
  EXPECT_EQ(error_of(with("    matrix: {}\n")).find("suite.yaml:6:13: cases[0].matrix: expected a mapping"), 0u);
  EXPECT_EQ(error_of(with("    matrix: [1]\n")).find("suite.yaml:6:13: cases[0].matrix: expected a mapping"), 0u);
  EXPECT_EQ(error_of(with("    matrix: {name: [a]}\n")),
            "suite.yaml:6:20: cases[0].matrix.name: 'name' can be no axis");
  EXPECT_EQ(error_of(with("    matrix: {batch: [[1]]}\n"))
                .find("suite.yaml:6:22: cases[0].matrix.batch[0]: expected a plain value"),
            0u);
  EXPECT_EQ(
      error_of(with("    matrix: {batch: [1, x]}\n")).find("suite.yaml:6:25: cases[0].batch: expected a whole number"),
      0u);
  EXPECT_EQ(error_of(with("    matrix: {bach: [1]}\n")).find("suite.yaml:"), 0u);
  EXPECT_NE(error_of(with("    matrix: {bach: [1]}\n")).find("cases[0].bach: unknown key"), std::string::npos);
  EXPECT_EQ(error_of(with("    matrix: {batch: [1]}\n    dtype: ${{bach}}\n")),
            "suite.yaml:7:12: cases[0].dtype: 'bach' is no axis of the case's matrix");
  EXPECT_EQ(error_of(with("    dtype: ${{batch}}\n")),
            "suite.yaml:6:12: cases[0].dtype: 'batch' is no axis of the case's matrix");
  EXPECT_EQ(error_of(with("    dtype: ${{batch\n")), "suite.yaml:6:12: cases[0].dtype: a placeholder is not closed");
  EXPECT_EQ(error_of(with("    matrix: {batch: [1, 1]}\n")).find("suite.yaml:"), 0u);
  EXPECT_NE(error_of(with("    matrix: {batch: [1, 1]}\n")).find("is the name of two cases"), std::string::npos);
  EXPECT_NE(
      error_of(
          with("    matrix: {batch: [1]}\n    gates: {metric: operator_time, below: 9, unit: us, only: {tokens: 1}}\n"))
          .find("'tokens' is no axis of the case's matrix"),
      std::string::npos);
  for (const char* none : {"8", "4.0", "[4]", "{}"})
    EXPECT_NE(error_of(with(std::string("    matrix: {batch: [1, 4]}\n    gates: {metric: operator_time, below: 9, "
                                        "unit: us, only: {batch: ") +
                            none + "}}\n"))
                  .find("is none of the axis's values"),
              std::string::npos)
        << none;
  EXPECT_EQ(read_suite_text(with("    matrix: {model: [configs/model_quick.yaml, configs/model_medium.yaml]}\n"), "s")
                .cases.size(),
            2u);
  std::string many = "[1";
  for (int i = 2; i <= 100; ++i) many += ", " + std::to_string(i);
  EXPECT_NE(error_of(with("    matrix: {batch: " + many + "], tokens: " + many + "]}\n"))
                .find("stands for more than 200 cases"),
            std::string::npos);
}

}  // namespace
}  // namespace bench::harness
