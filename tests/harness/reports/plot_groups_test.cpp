#include "harness/judging/report.h"
#include "harness/reports/plots.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

/// A program's case that measured `speed` in each of its processes and has a gate relative to each of those others.
CaseResult program(const std::string& name, const std::vector<double>& speeds,
                   const std::vector<std::string>& relative_to, std::span<const CaseResult> earlier) {
  std::vector<Record> processes;
  for (const double speed : speeds) {
    Record record;
    record.name = name;
    record.type = "command";
    record.declared = {{.name = "speed", .unit = "tokens/s", .better = "higher"}};
    record.add("speed", "tokens/s", speed);
    processes.push_back(record);
  }
  std::vector<GateConfig> gates;
  for (const auto& other : relative_to)
    gates.push_back(read_gate(YamlNode::parse("{metric: speed, relative_to: " + other + ", above: 1, unit: '1'}", "g"),
                              processes[0].declared));
  return evaluate_case(name, "command", 1, gates, processes, "machine", earlier);
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(Groups, CasesThatGatesCompareStandInOneChart) {
  Report report;
  const auto add = [&](const std::string& name, const std::vector<double>& speeds,
                       const std::vector<std::string>& relative_to = {}) {
    report.cases.push_back(program(name, speeds, relative_to, report.cases));
  };
  add("llama.cpp", {10, 11, 12});
  add("mlx-lm", {5, 6, 7});
  add("alone", {1, 2, 3});
  EXPECT_EQ(plot_groups(report), "");
  add("ours", {20, 21, 22}, {"llama.cpp", "mlx-lm"});
  const std::string one = plot_groups(report);
  EXPECT_EQ(count(one, "<figure>"), 1u);
  EXPECT_EQ(count(one, "class=\"bar"), 5u);  // two in the legend
  EXPECT_EQ(count(one, "class=\"interval"), 3u);
  EXPECT_EQ(count(one, "<tr><td>1<td>llama.cpp<td>11"), 1u);
  EXPECT_EQ(count(one, "alone"), 0u);
  add("again", {1, 2, 3}, {"alone"});
  add("whole", {1, 2, 3}, {"ours"});  // joins the first group
  const std::string two = plot_groups(report);
  EXPECT_EQ(count(two, "<figure>"), 2u);
  EXPECT_EQ(count(two, "class=\"bar"), 6u + 4u);
}

TEST(Groups, BeyondWhatFitsNumbersStandForNamesAndTheRestIsCounted) {
  Report report;
  report.cases.push_back(program("<a name that no chart has room for>", {1, 2}, {}, {}));
  for (int i = 0; i < 40; ++i)
    report.cases.push_back(program("c" + std::to_string(i), {1, 2}, {"'" + report.cases[0].name + "'"}, report.cases));
  const std::string html = plot_groups(report);
  EXPECT_EQ(count(html, "The first 30 of 41 cases are shown."), 1u);
  EXPECT_EQ(count(html, "class=\"e\">30</text>"), 1u);
  EXPECT_EQ(count(html, "<a name"), 0u);
  EXPECT_EQ(count(html, "&lt;a name"), 1u);
}

TEST(Groups, WhatWasNotMeasuredHasNoBar) {
  Report report;
  report.cases.push_back(program("skipped", {1}, {}, {}));
  report.cases[0].metrics.clear();
  report.cases.push_back(program("ours", {20, 21}, {"skipped"}, report.cases));
  EXPECT_EQ(plot_groups(report), "");  // nothing to compare with
}

}  // namespace
}  // namespace bench::harness
