// The arithmetic of the plan's targets on an M4 Max with 40 GPU cores.
#include "harness/planning/plan.h"

#include <cmath>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

Plan m4max() {
  return make_plan(read_suite(BENCH_SOURCE_DIR "/suites/m4max.yaml"), ceilings_of(read_machine("m4-max-40", "test")));
}

const TargetPlan& target(const Plan& plan, const std::string& case_name, const std::string& metric) {
  for (const auto& one : plan.targets)
    if (one.case_name == case_name && one.gate.metric == metric) return one;
  throw Error(case_name, "has no gate on " + metric);
}

TEST(Plan, CountsParametersAndFlopsOfAStep) {
  const Plan plan = m4max();
  const CasePlan& medium = *plan.find("train-medium");
  EXPECT_DOUBLE_EQ(medium.parameters, 397'722'624);
  EXPECT_DOUBLE_EQ(medium.parameters_without_embedding, 364'954'624);
  EXPECT_DOUBLE_EQ(medium.tokens, 131'072);
  EXPECT_DOUBLE_EQ(medium.training->flops_without_attention, 6.0 * 397'722'624 * 131'072);
  EXPECT_NEAR(medium.training->flops_without_attention, 3.1e14, 0.05e14);
  EXPECT_GT(medium.flops, medium.training->flops_without_attention);
  const CasePlan& large = *plan.find("train-large");
  EXPECT_DOUBLE_EQ(large.parameters, 870'262'272);
  EXPECT_DOUBLE_EQ(large.tokens, 98'304);
}

TEST(Plan, TheSpeedTargetsAreOutOfReach) {
  const Plan plan = m4max();
  const struct {
    const char* name;
    double low, high, low_tflops, high_tflops, accumulation;
  } kExpected[] = {{"train-medium", 2, 3, 625, 938, 4}, {"train-large", 1, 1.5, 513, 770, 8}};
  for (const auto& expected : kExpected) {
    const TargetPlan& speed = target(plan, expected.name, "train_steps_per_s");
    const TrainingPlan& training = *plan.find(expected.name)->training;
    EXPECT_EQ(speed.reach, Reach::kOut);
    EXPECT_DOUBLE_EQ(speed.low, expected.low);
    EXPECT_DOUBLE_EQ(speed.high, expected.high);  // its target
    EXPECT_NEAR(speed.low * training.flops_without_attention, expected.low_tflops * 1e12, 1e12);
    EXPECT_NEAR(speed.high * training.flops_without_attention, expected.high_tflops * 1e12, 1e12);
    EXPECT_GT(speed.low_factor, 38);  // 40-70x between the two models
    EXPECT_LT(speed.high_factor, 72);
    EXPECT_DOUBLE_EQ(static_cast<double>(training.accumulation_steps), expected.accumulation);
    EXPECT_GT(speed.low_factor / expected.accumulation, 4.8);  // 5-18x even if a step were one micro-batch
    EXPECT_LT(speed.high_factor / expected.accumulation, 18);
  }
}

TEST(Plan, TheHoursOfThePlanAreOutOfReachAsItsSpeedIs) {
  const Plan plan = m4max();
  for (const char* name : {"train-medium", "train-large"}) {
    const TargetPlan& hours = target(plan, name, "train_hours");
    EXPECT_EQ(hours.reach, Reach::kOut);
    EXPECT_NEAR(hours.bound, 200'000 / target(plan, name, "train_steps_per_s").bound / 3600, 1e-6);
    EXPECT_NEAR(hours.low_factor, hours.bound / hours.low, 1e-9);
    EXPECT_GT(hours.low_factor, 38);
    EXPECT_LT(hours.low_factor, 72);
  }
}

TEST(Plan, WithoutKnowingTheMemoryAutoNeedsABudget) {
  Ceilings ceilings = ceilings_of(read_machine("m4-max-40", "test"));
  ceilings.memory_bytes = std::nan("");
  const auto plan = [&](const char* budget) {
    return make_plan(read_suite(BENCH_SOURCE_DIR "/suites/m4max.yaml",
                                {std::string("cases.train-medium.memory_budget_gb=") + budget}),
                     ceilings);
  };
  EXPECT_NO_THROW(plan("10"));
  EXPECT_THROW(plan("0"), Error);
  EXPECT_TRUE(to_json(plan("10"))["ceilings"]["memory_bytes"].is_null());
}

TEST(Plan, DecodingIsBoundByReadingTheWeights) {
  const Plan plan = m4max();
  const auto bound = [&](const char* name, double bytes_per_weight) {
    return plan.ceilings.read.rate / (plan.find(name)->parameters * bytes_per_weight);
  };
  EXPECT_NEAR(bound("decode-medium", 2), 686, 1);
  EXPECT_NEAR(bound("decode-medium", 1), 1373, 1);
  EXPECT_NEAR(bound("decode-large", 2), 314, 1);
  EXPECT_NEAR(bound("decode-large", 1), 627, 1);
  for (const char* name : {"decode-medium", "decode-large"}) {
    const CasePlan& one = *plan.find(name);
    EXPECT_TRUE(one.bound_by_memory);
    EXPECT_NEAR(one.weight_bytes, 2 * one.parameters, 1e6);  // the tied head's matrix is read as well
    EXPECT_LT(1 / one.seconds, bound(name, 2));              // keys and values are read, too
    EXPECT_EQ(target(plan, name, "decode_tokens_per_s").reach, Reach::kNotExcluded);
  }
  EXPECT_FALSE(plan.find("prefill-medium")->bound_by_memory);
}

TEST(Plan, DecodingLikelyTakesItsLaunchesAndItsMemoryOneAfterTheOther) {
  const Plan plan = m4max();
  const Machine machine = read_machine("m4-max-40", "test");
  for (const char* name : {"decode-medium", "decode-large"}) {
    const CasePlan& one = *plan.find(name);
    ASSERT_TRUE(one.likely);
    const LikelyTime& likely = *one.likely;
    EXPECT_NEAR(likely.work_s, one.bytes / (machine.memory_share.value * machine.memory_gb_per_s.value * 1e9), 1e-9);
    EXPECT_NEAR(likely.fast_s - likely.work_s, likely.launches * machine.launch_us.low.value * 1e-6, 1e-9);
    EXPECT_NEAR(likely.likely_s - likely.work_s, likely.launches * machine.launch_us.likely.value * 1e-6, 1e-9);
    EXPECT_NEAR(likely.slow_s - likely.work_s, likely.launches * machine.launch_us.high.value * 1e-6, 1e-9);
    EXPECT_LT(likely.launches, likely.launches_with_operators);
    const TargetPlan& speed = target(plan, name, "decode_tokens_per_s");
    ASSERT_TRUE(speed.likely);
    EXPECT_LT(speed.likely->worst, speed.likely->likely);
    EXPECT_LT(speed.likely->likely, speed.likely->best);
    EXPECT_LT(speed.likely->best, speed.bound);  // what is likely is never more than what is possible
  }
  // Reading the large model takes longer than starting the work. Where a launch takes 100 times as long it doesn't.
  EXPECT_FALSE(plan.find("decode-large")->likely->bound_by_launches);
  Machine slow = machine;
  slow.launch_us.likely.value = slow.launch_us.high.value = 100 * machine.launch_us.likely.value;
  const Plan slower = make_plan(read_suite(BENCH_SOURCE_DIR "/suites/m4max.yaml"), ceilings_of(slow));
  EXPECT_TRUE(slower.find("decode-large")->likely->bound_by_launches);
}

TEST(Plan, WithoutTheCostOfALaunchThereIsOnlyABound) {
  Machine machine = read_machine("m4-max-40", "test");
  machine.launch_us = {};
  const Plan plan = make_plan(read_suite(BENCH_SOURCE_DIR "/suites/m4max.yaml"), ceilings_of(machine));
  EXPECT_FALSE(plan.find("decode-medium")->likely);
  EXPECT_FALSE(target(plan, "decode-medium", "decode_tokens_per_s").likely);
  EXPECT_FALSE(std::isnan(target(plan, "decode-medium", "decode_tokens_per_s").bound));
  EXPECT_TRUE(to_json(plan)["ceilings"]["launch"].is_null());
}

TEST(Plan, TheMicroBatchIsTheLargestWhosePoolsFitTheBudgetToo) {
  const Plan plan = m4max();
  for (const auto& [name, budget] : {std::pair{"train-medium", 10e9}, {"train-large", 20e9}}) {
    const CasePlan& one = *plan.find(name);
    EXPECT_LE(one.memory.total(), budget) << name;
    EXPECT_GE(one.memory.least_total(), one.memory.live()) << name;
    EXPECT_NEAR(one.memory.total() - one.memory.least_total(), 1 << 30, 1) << name;
    EXPECT_EQ(target(plan, name, "peak_memory").bound, one.memory.live() * 1e-9) << name;
  }
}

TEST(Plan, QuantisedWeightsAreReadSooner) {
  const auto tokens_per_s = [](const std::string& quantize) {
    const Suite suite = read_suite(BENCH_SOURCE_DIR "/suites/m4max.yaml", {"cases.decode-large.quantize=" + quantize});
    const Plan plan = make_plan(suite, ceilings_of(read_machine("m4-max-40", "test")));
    return target(plan, "decode-large", "decode_tokens_per_s").bound;
  };
  EXPECT_GT(tokens_per_s("int8"), 1.8 * tokens_per_s("none"));
  EXPECT_GT(tokens_per_s("int4"), 1.5 * tokens_per_s("int8"));
}

TEST(Plan, SaysWhatIsInReach) {
  const Plan plan = m4max();
  const CasePlan& medium = *plan.find("train-medium");
  const TrainingPlan& training = *medium.training;
  EXPECT_NEAR(training.max_steps * training.tokens_per_step, 26.2e9, 0.05e9);
  EXPECT_NEAR(training.max_steps * training.tokens_per_step / medium.parameters, 66, 0.5);
  EXPECT_NEAR(seconds_of_training(medium), 200'000 * medium.flops / 13.18e12, 0.1 * 86'400);
  EXPECT_NEAR(tokens_in_hours(medium, 22), 22 * 3600 / medium.seconds * 131'072, 1);
}

TEST(Plan, KeepingEveryActivationExceedsTheMemoryTargetOfTheMediumModel) {
  const Plan plan = m4max();
  for (const char* name : {"train-medium", "train-large"}) {
    const TargetPlan& memory = target(plan, name, "peak_memory");
    EXPECT_EQ(memory.reach, Reach::kNotExcluded);
  }
  // Without any T x T probabilities: inputs and results of the operators in 24 layers, for 16 x 2048 tokens.
  EXPECT_GT(plan.find("train-medium")->training->config_memory.activations, 3 * 10e9);
  // The large model's config recomputes them.
  EXPECT_LT(plan.find("train-large")->training->config_memory.live(), 20e9);
}

TEST(Plan, NoArithmeticBoundsPerplexityButItsTrainingIsKnown) {
  const Plan plan = m4max();
  const TargetPlan& perplexity = target(plan, "perplexity-medium", "perplexity");
  EXPECT_EQ(perplexity.reach, Reach::kNoBound);
  EXPECT_EQ(perplexity.trained_by, "train-medium");
}

TEST(Plan, AFasterMachineReachesMore) {
  const Plan plan =
      make_plan(read_suite(BENCH_SOURCE_DIR "/suites/m4max.yaml"), ceilings_of(read_machine("h100-sxm", "test")));
  EXPECT_EQ(target(plan, "train-large", "train_steps_per_s").reach, Reach::kNotExcluded);
}

TEST(Plan, JsonHoldsNoNaN) {
  const Json json = to_json(m4max());
  EXPECT_EQ(json["schema"], "bench-plan/1");
  EXPECT_EQ(json["targets"][0]["reach"], "out_of_reach");
  EXPECT_EQ(json.dump().find("nan"), std::string::npos);
}

TEST(Plan, ABudgetThatCannotBeMetIsAnErrorAsItIsInTheRun) {
  const Suite suite = read_suite(BENCH_SOURCE_DIR "/suites/m4max.yaml", {"cases.train-medium.memory_budget_gb=3"});
  try {
    make_plan(suite, ceilings_of(read_machine("m4-max-40", "test")));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.where(), "train-medium: micro_batch_size");
    EXPECT_EQ(e.message().find("nothing fits 3.0 GB: one sequence of 2048 tokens with recomputed activations needs 8."),
              0u)
        << e.message();
  }
}

TEST(Ceilings, OfAMachineThatNobodyCanPlanForSayWhere) {
  Machine machine = read_machine("m4-max-40", "test");
  machine.device = "mpss";
  try {
    ceilings_of(machine);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.where(), "configs/machines/m4-max-40.yaml: device");
    EXPECT_EQ(e.hint(), "did you mean 'mps'? known: mps, cuda, cpu, portable");
  }
  machine.device = "mps";
  machine.bf16_tflops = {};
  EXPECT_THROW(ceilings_of(machine), Error);
  machine.device = "cpu";  // computes in fp32
  EXPECT_GT(ceilings_of(machine).mixed.rate, 0);
}

}  // namespace
}  // namespace bench::harness
