#include "harness/running/suite.h"

#include "harness/comparison/compare.h"
#include "harness/devices/current_environment.h"
#include "harness/running/rerun.h"

#include <filesystem>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

/// A report of cases that ran, each with that config.
Report report_of(const std::vector<std::string>& names, const std::string& type, const Json& config) {
  Report report;
  report.environment = {{"processor", "Example CPU"}, {"cores", 2}};
  for (const auto& name : names) {
    Record record;
    record.name = name, record.type = type, record.config = config;
    report.cases.push_back(evaluate_case(name, type, 10, {}, {record}, report.machine()));
  }
  return report;
}

TEST(Suite, EveryCaseOfEverySuiteReadsBackFromItsEffectiveConfig) {
  std::filesystem::current_path(BENCH_SOURCE_DIR);
  for (const auto& entry : std::filesystem::directory_iterator("suites")) {
    for (const auto& spec : read_suite(entry.path().string()).cases) {
      FieldReader reader(YamlNode::parse(spec.config.dump(), "effective"));
      EXPECT_EQ(find_case_type(spec.type)->read(reader), spec.config) << entry.path() << " " << spec.name;
      reader.finish();
    }
  }
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

TEST(Suite, AGateForAMachineThatNobodyKnowsIsAnErrorOfTheSuite) {
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
  const std::string processor = current_environment().processor;
  EXPECT_NE(typo.find(processor), std::string::npos) << typo;
  EXPECT_NE(typo.find("{contains: Apple M4 max}"), std::string::npos) << typo;
  for (const char* unknown : {"Apple M4 Maxx", "'Apple M4 Max, some cores'", "'Apple M4 Max, 16'", "H100 80GB HBM3"})
    EXPECT_NE(error_of_gate_for(unknown), "") << unknown;  // the last is a GPU's name: gates go by the processor's
}

TEST(Suite, AMisspeltNameOfThisMachineHasItsProcessorAsTheHint) {
  const std::string processor = current_environment().processor;
  for (const std::string& typo : {processor + "Q", processor + "Q, 2 cores"}) {
    const std::string error = error_of_gate_for(Json(typo).dump());
    EXPECT_NE(error.find("did you mean '" + processor + "'?"), std::string::npos) << error;
  }
}

TEST(Suite, EveryTargetOfThePlanHasItsGate) {
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

TEST(Suite, CasesThatWaitForEachOtherAreAnErrorWhenTheReportIsRunAgain) {
  Report report = report_of({"first", "second"}, "memory", {});
  report.cases[1].after = {"first", "a case that was left out"};
  EXPECT_EQ(suite_of_report(report).cases[1].after.size(), 2u);
  report.cases[0].after = {"second"};
  EXPECT_THROW(suite_of_report(report), Error);
}

TEST(Suite, AKeyThatTheOlderProgramDidNotKnowIsNoOtherConfigWhileItIsAsByDefault) {
  FieldReader reader(YamlNode::parse("{model: configs/model_quick.yaml, prompt_tokens: 100}", "case"));
  Report now = report_of({"prefill"}, "prefill", find_case_type("prefill")->read(reader));
  Json& config = now.cases[0].processes[0].config;
  Report base = now;
  ASSERT_EQ(base.cases[0].processes[0].config.erase("quantize"), 1u);
  const auto compare = [](const Report& a, const Report& b) {
    return compare_reports(with_all_keys(a), with_all_keys(b), {});
  };
  EXPECT_NO_THROW(compare(base, now));
  EXPECT_NO_THROW(compare(now, base));
  config["quantize"] = "int8";
  EXPECT_THROW(compare(base, now), Error);
  config["from_the_future"] = 1;  // stays as it is, and unequal
  EXPECT_THROW(compare(base, now), Error);
}

}  // namespace
}  // namespace bench::harness
