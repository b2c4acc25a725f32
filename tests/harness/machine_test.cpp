#include "harness/machine.h"

#include "harness/suite.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

TEST(Machine, EveryFileIsReadAndEveryNumberHasASource) {
  const auto names = machine_names();
  EXPECT_GE(names.size(), 6u);
  for (const auto& name : names) {
    const Machine machine = read_machine(name, "test");
    EXPECT_EQ(machine.name, name);
    const Json json = to_json(machine);
    EXPECT_EQ(to_json(read_config<Machine>(YamlNode::parse(json.dump(), name))), json) << name;
  }
}

TEST(Machine, M4Max) {
  const Machine machine = read_machine("m4-max-40", "test");
  EXPECT_EQ(machine.match, "Apple M4 Max");
  EXPECT_DOUBLE_EQ(machine.memory_gb_per_s.value, 546);
  EXPECT_NEAR(machine.rates("fp32").flops_per_s(), 13.8e12, 0.05e12);
  EXPECT_NEAR(machine.rates("fp16").flops_per_s(), 14.8e12, 0.05e12);
  EXPECT_NEAR(machine.rates("bf16").flops_per_s(), 13.2e12, 0.05e12);
  EXPECT_NEAR(machine.fp32_tflops.large.value, 12, 0.2);
  EXPECT_DOUBLE_EQ(machine.fp32_tflops.on_paper.value, 18.4);
  EXPECT_DOUBLE_EQ(read_machine("m4-max-32", "test").memory_gb_per_s.value, 410);
}

TEST(Machine, AnUnknownNameListsTheKnownAndTheNearest) {
  try {
    read_machine("m4max40", "--machine");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.where(), "--machine");
    EXPECT_NE(e.hint().find("did you mean 'm4-max-40'?"), std::string::npos) << e.hint();
    EXPECT_NE(e.hint().find("h100-sxm"), std::string::npos) << e.hint();
  }
  EXPECT_THROW(read_machine("../model_medium", "--machine"), Error);
}

TEST(Machine, ANumberWithoutASourceIsAnError) {
  Json json = to_json(read_machine("h100-sxm", "test"));
  json["memory_gb_per_s"]["source"] = "";
  EXPECT_THROW(read_config<Machine>(YamlNode::parse(json.dump(), "json")), Error);
}

/// What reading a suite with a gate for that machine says.
std::string error_of_gate_for(const std::string& machine) {
  try {
    read_suite_text(
        "name: t\ncases:\n  - name: m\n    case: operator\n    operator: linear\n    model: "
        "configs/model_quick.yaml\n    gates:\n      - {metric: peak_memory, at_most: 1, unit: GB, machine: " +
            machine + "}\n",
        "suite.yaml");
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(Machine, AGateForAMachineThatNobodyKnowsIsAnErrorOfTheSuite) {
  for (const char* known : {"Apple M4 Max", "Apple M4", "Apple M3 Max", "'Apple M4 Max, 16 cores'", "\"\""})
    EXPECT_EQ(error_of_gate_for(known), "") << known;
  const std::string here = machine_name(to_json(current_environment()));
  EXPECT_EQ(error_of_gate_for(Json(here).dump()), "");
  EXPECT_EQ(error_of_gate_for("{contains: whatever}"), "");
  const std::string typo = error_of_gate_for("Apple M4 max");
  EXPECT_EQ(
      typo.find("suite.yaml:8:62: cases[0].gates[0].machine: no machine that is known, nor this one, has 'Apple M4 "
                "max' in its name\n  hint: did you mean 'Apple M4 Max'? known: "),
      0u)
      << typo;
  EXPECT_NE(typo.find(here), std::string::npos) << typo;
  EXPECT_NE(typo.find("{contains: Apple M4 max}"), std::string::npos) << typo;
  for (const char* unknown : {"Apple M4 Maxx", "'Apple M4 Max, some cores'", "'Apple M4 Max, 16'", "H100 80GB HBM3"})
    EXPECT_NE(error_of_gate_for(unknown), "") << unknown;  // the last is a GPU's name: gates go by the processor's
}

TEST(Machine, EveryTargetOfThePlanHasItsGate) {
  const Suite suite = read_suite(BENCH_SOURCE_DIR "/suites/m4max.yaml");
  const struct {
    const char *name, *metric, *kind;
    double limit;
    bool here_only;
  } kTargets[] = {{"train-medium", "train_steps_per_s", "at_least", 2, true},
                  {"train-large", "train_steps_per_s", "at_least", 1, true},
                  {"train-medium", "train_hours", "at_most", 22, true},
                  {"train-large", "train_hours", "at_most", 44, true},
                  {"decode-medium", "decode_tokens_per_s", "above", 50, true},
                  {"decode-large", "decode_tokens_per_s", "above", 30, true},
                  {"train-medium", "peak_memory", "at_most", 10, false},
                  {"train-large", "peak_memory", "at_most", 20, false},
                  {"perplexity-medium", "perplexity", "below", 15, false},
                  {"perplexity-large", "perplexity", "below", 12, false}};
  for (const auto& target : kTargets) {
    int found = 0;
    for (const auto& spec : suite.cases)
      for (const auto& one : spec.gates) {
        if (spec.name != target.name || one.metric != target.metric) continue;
        ++found;
        EXPECT_STREQ(one.kind().name, target.kind) << target.name << " " << target.metric;
        EXPECT_EQ(one.limit(), std::vector<double>{target.limit});
        EXPECT_EQ(one.machine.text, target.here_only ? "Apple M4 Max" : "");
        EXPECT_EQ(one.reading.find("the plan's "), 0u) << one.reading;
      }
    EXPECT_EQ(found, 1) << target.name << " " << target.metric;
  }
}

TEST(Machine, WithoutAMeasurementThePaperCounts) {
  const Machine machine = read_machine("a100-sxm", "test");
  EXPECT_FALSE(machine.fp32_tflops.measured());
  EXPECT_DOUBLE_EQ(machine.rates("fp32").flops_per_s(), 19.5e12);
}

}  // namespace
}  // namespace bench::harness
