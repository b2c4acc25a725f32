#include "harness/judging/gate.h"

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace bench::harness {
namespace {

GateConfig gate(const std::string& yaml) { return read_gate(YamlNode::parse(yaml, "g")); }

std::string error_of(const std::string& yaml) {
  try {
    gate(yaml);
  } catch (const Error& e) {
    return e.message();
  }
  return "no error";
}

Record memory_record(double bytes) {
  Record record;
  record.add("peak_memory_bytes", "bytes", bytes);
  return record;
}

const char* kMemoryGate = "{metric: peak_memory, at_most: 10, unit: GB}";

TEST(Gate, PassesUpToTheLimitAndFailsBeyond) {
  EXPECT_EQ(judge(gate(kMemoryGate), {memory_record(10e9)}, "").verdict, Verdict::kPass);
  EXPECT_EQ(judge(gate(kMemoryGate), {memory_record(10.001e9)}, "").verdict, Verdict::kFail);
  EXPECT_EQ(judge(gate("{metric: peak_memory, below: 10, unit: GB}"), {memory_record(10e9)}, "").verdict,
            Verdict::kFail);
  EXPECT_EQ(judge(gate("{metric: peak_memory, at_least: 10, unit: GB}"), {memory_record(10e9)}, "").verdict,
            Verdict::kPass);
  EXPECT_EQ(judge(gate("{metric: peak_memory, above: 10, unit: GB}"), {memory_record(10e9)}, "").verdict,
            Verdict::kFail);
  EXPECT_EQ(judge(gate("{metric: peak_memory, within: [9, 11], unit: GB}"), {memory_record(10e9)}, "").verdict,
            Verdict::kPass);
  EXPECT_EQ(judge(gate("{metric: peak_memory, within: [9, 11], unit: GB}"), {memory_record(12e9)}, "").verdict,
            Verdict::kFail);
}

TEST(Gate, NaNAndMissingMetricsNeverPass) {
  EXPECT_EQ(judge(gate(kMemoryGate), {Record{}}, "").verdict, Verdict::kNotJudged);
  Record record;
  record.add("loss", "nats", std::nan(""));
  const GateResult loss = judge(gate("{metric: final_loss, at_most: 5, unit: nats}"), {record}, "");
  EXPECT_EQ(loss.verdict, Verdict::kFail);
  EXPECT_EQ(loss.reason, "the value is not a number");
  const GateConfig perplexity = gate("{metric: perplexity, below: 15, unit: '1'}");
  record.facts = {{"scored_tokens", 3}};
  EXPECT_EQ(judge(perplexity, {record}, "").verdict, Verdict::kNotJudged);
  record.facts["nll_nats"] = std::nan("");
  EXPECT_EQ(judge(perplexity, {record}, "").verdict, Verdict::kFail);
  Record sound;
  sound.facts = {{"scored_tokens", 3}, {"nll_nats", 3}};
  EXPECT_EQ(judge(perplexity, {sound, record}, "").verdict, Verdict::kFail);
  record.facts["nll_nats"] = INFINITY;
  EXPECT_EQ(judge(gate("{metric: perplexity, below: 15, unit: '1'}"), {record}, "").verdict, Verdict::kFail);
  EXPECT_EQ(judge(gate("{metric: perplexity, above: 15, unit: '1'}"), {record}, "").verdict, Verdict::kFail);
}

TEST(Gate, TheCostOfQuantizedWeightsIsNotJudgedByFewTokens) {
  Record record;
  record.facts = {{"quantization_nll_nats", 2.001},
                  {"quantization_base_nll_nats", 2.0},
                  {"quantization_kl_nats", 0.001},
                  {"quantization_same_top_share", 0.99}};
  constexpr struct {
    const char *metric, *met, *missed;
  } kGates[] = {{"metric: quantized_perplexity_ratio, unit: '1'", "at_most: 1.005", "at_most: 1.0005"},
                {"metric: quantized_kl_divergence, unit: nats", "at_most: 0.005", "at_most: 0.0005"},
                {"metric: quantized_same_top_token, unit: '%'", "at_least: 98", "at_least: 99.5"}};
  for (const auto& one : kGates) {
    const auto result = [&](const char* limit) {
      return judge(gate(fmt::format("{{{}, {}}}", one.metric, limit)), {record}, "");
    };
    record.facts.erase("quantization_tokens");  // as in a report that was written before there was the fact
    EXPECT_EQ(result(one.met).verdict, Verdict::kPass) << one.metric;
    record.facts["quantization_tokens"] = 512;
    EXPECT_EQ(result(one.met).verdict, Verdict::kPass) << one.metric;
    EXPECT_EQ(result(one.missed).verdict, Verdict::kFail) << one.metric;
    record.facts["quantization_tokens"] = 1;
    for (const char* limit : {one.met, one.missed}) {
      EXPECT_EQ(result(limit).verdict, Verdict::kNotJudged) << one.metric;
      EXPECT_EQ(result(limit).measured.n, 0) << one.metric;
      EXPECT_EQ(result(limit).reason,
                "estimated only: 1 of the 512 tokens that judging quantized weights needs: a longer quality_text would "
                "help");
    }
  }
}

TEST(Gate, AnInfiniteRateIsNoPass) {
  Record record;
  for (int i = 0; i < 8; ++i) record.add("prefill_time_s", "s", 0);
  record.facts = {{"prompt_tokens", 10}, {"batch", 1}};
  const GateConfig fast = gate("{metric: prefill_tokens_per_s, at_least: 9, unit: tokens/s}");
  EXPECT_EQ(judge(fast, {record}, "").verdict, Verdict::kFail);
  EXPECT_EQ(judge(fast, {record}, "").reason, "the value is not a number");
}

TEST(Gate, OneProcessThatIsNotANumberDoesNotVanishAmongMany) {
  const auto process = [](double time_s) {
    Record record;
    for (int i = 0; i < 8; ++i) record.add("prefill_time_s", "s", time_s + 0.001 * i);
    record.facts = {{"prompt_tokens", 10}, {"batch", 1}};
    record.add("peak_memory_bytes", "bytes", 1e9 * time_s);
    return record;
  };
  for (const std::size_t others : {1, 2, 7})
    for (const bool first : {true, false}) {
      std::vector<Record> processes(others, process(1));
      processes.insert(first ? processes.begin() : processes.end(), process(std::nan("")));
      for (const char* one : {"{metric: prefill_tokens_per_s, at_least: 0, unit: tokens/s}",
                              "{metric: peak_memory, at_most: 5, unit: GB}"})
        EXPECT_EQ(judge(gate(one), processes, "").verdict, Verdict::kFail) << one << " beside " << others;
    }
  Record lengths = process(1);
  lengths.add("peak_memory_bytes", "bytes", std::nan(""));  // of one sequence length of several
  lengths.add("peak_memory_bytes", "bytes", 2e9);
  EXPECT_EQ(judge(gate(kMemoryGate), {lengths}, "").verdict, Verdict::kFail);
}

TEST(Gate, AProcessWithoutTheValueKeepsTheOthersFromPassing) {
  const GateResult result = judge(gate(kMemoryGate), {memory_record(1e9), Record{}}, "");
  EXPECT_EQ(result.verdict, Verdict::kNotJudged);
  EXPECT_EQ(result.reason, "process 2 of 2 measured no peak_memory");
  EXPECT_EQ(judge(gate(kMemoryGate), {memory_record(11e9), Record{}}, "").verdict, Verdict::kFail);
}

TEST(Gate, WhatDependsOnStepsThatWereNotMadeIsNotJudged) {
  Record record;
  for (int i = 0; i < 45; ++i) {
    record.add("loss", "nats", 8.0);
    record.add("micro_step_time_s", "s", 1 + 0.01 * (i % 2));
    record.add("update_time_s", "s", 0.1 + 0.01 * (i % 2));
  }
  record.facts = {{"micro_steps_per_step", 1}, {"tokens_per_step", 100}};
  record.notes[kStepsCutNote] = "45 of 400 steps in 100 s";
  const GateConfig loss = gate("{metric: final_loss, at_most: 6.4, unit: nats}");
  EXPECT_EQ(judge(loss, {record}, "").verdict, Verdict::kNotJudged);
  EXPECT_EQ(judge(loss, {record}, "").reason, "45 of 400 steps in 100 s");
  EXPECT_EQ(judge(gate("{metric: first_loss, at_most: 9, unit: nats}"), {record}, "").verdict, Verdict::kPass);
  const GateConfig speed = gate("{metric: train_tokens_per_s, at_least: 10, unit: tokens/s}");
  EXPECT_EQ(judge(speed, {record}, "").verdict, Verdict::kPass);  // those that were made tell it
  record.series["loss"].samples.back() = std::nan("");
  EXPECT_EQ(judge(loss, {record}, "").verdict, Verdict::kFail);  // however few steps were made
  record.notes.erase(kStepsCutNote);
  record.series["loss"].samples.back() = 8;
  EXPECT_EQ(judge(loss, {record}, "").verdict, Verdict::kFail);
}

TEST(Gate, WhatComesAfterACaseThatWasCutIsNotJudged) {
  Record record = memory_record(1e9);
  record.facts = {{"scored_tokens", 3}, {"nll_nats", 30}};
  record.notes[kCameAfterCutNote] = "train: 45 of 400 steps in 100 s";
  for (const char* one : {"{metric: perplexity, below: 15, unit: '1'}", kMemoryGate}) {
    EXPECT_EQ(judge(gate(one), {record}, "").verdict, Verdict::kNotJudged);
    EXPECT_EQ(judge(gate(one), {record}, "").reason, "train: 45 of 400 steps in 100 s");
  }
  const GateConfig relative = gate("{metric: peak_memory, relative_to: base, at_most: 2, unit: '1'}");
  const std::vector<Record> base{record};
  EXPECT_EQ(judge(relative, {memory_record(1e9)}, "", &base).reason, "base: train: 45 of 400 steps in 100 s");
}

TEST(Gate, AnEstimateCanFailAGateButNotPassIt) {
  Record record;
  record.facts["needed_memory_bytes"] = 60e9;
  EXPECT_EQ(judge(gate(kMemoryGate), {record}, "").verdict, Verdict::kFail);
  record.facts["needed_memory_bytes"] = 9e9;
  EXPECT_EQ(judge(gate(kMemoryGate), {record}, "").verdict, Verdict::kNotJudged);
}

TEST(Gate, MemoryOfLengthsThatNeverRanIsNotPassed) {
  Record record = memory_record(5e9);
  record.notes["cut_short"] = "budget_s was used up before sequence length 512";
  GateResult result = judge(gate(kMemoryGate), {record}, "");
  EXPECT_EQ(result.verdict, Verdict::kNotJudged);
  EXPECT_EQ(result.reason, "estimated only: budget_s was used up before sequence length 512");
  const GateConfig reached = gate("{metric: peak_memory, at_least: 10, unit: GB}");
  EXPECT_EQ(judge(reached, {record}, "").verdict, Verdict::kNotJudged);  // what did not run may have needed it
  record.add("peak_memory_bytes", "bytes", 11e9);
  EXPECT_EQ(judge(gate(kMemoryGate), {record}, "").verdict, Verdict::kFail);
  EXPECT_EQ(judge(gate("{metric: peak_memory, within: [9, 10.5], unit: GB}"), {record}, "").verdict, Verdict::kFail);
  record = memory_record(5e9);
  record.facts["needed_memory_bytes"] = 14e9;
  EXPECT_EQ(judge(gate(kMemoryGate), {record}, "").verdict, Verdict::kFail);
  EXPECT_EQ(judge(gate("{metric: peak_memory, at_most: 20, unit: GB}"), {record}, "").verdict, Verdict::kNotJudged);
}

TEST(Gate, ErrorsAndSkippedCasesAreNotPassed) {
  Record record = memory_record(1e9);
  record.status = Record::Status::kSkipped;
  record.reason = "no checkpoint";
  EXPECT_EQ(judge(gate(kMemoryGate), {record}, "").verdict, Verdict::kNotJudged);
  EXPECT_EQ(judge(gate(kMemoryGate), {record}, "").reason, "no checkpoint");
  record.status = Record::Status::kError;
  EXPECT_EQ(judge(gate(kMemoryGate), {record}, "").verdict, Verdict::kError);
}

TEST(Gate, GatesOfAnotherMachineDoNotApplyHere) {
  const GateConfig speed = gate("{metric: peak_memory, at_most: 10, unit: GB, machine: Apple M4 Max}");
  EXPECT_FALSE(judge(speed, {memory_record(1e9)}, "AMD EPYC").applies);
  EXPECT_EQ(judge(speed, {memory_record(1e9)}, "AMD EPYC").verdict, Verdict::kNotJudged);
  EXPECT_EQ(judge(speed, {memory_record(1e9)}, "Apple M4 Max").verdict, Verdict::kPass);
}

TEST(Gate, WhereTheProcessorsNameCouldNotBeReadAGateOfAMachineIsNotJudgedAlthoughItMayApply) {
  const std::string here = "unknown processor (x86_64), 8 cores";
  const GateConfig epyc = gate("{metric: peak_memory, at_most: 10, unit: GB, machine: {contains: AMD EPYC}}");
  for (const double bytes : {1e9, 11e9}) {
    const GateResult result = judge(epyc, {memory_record(bytes)}, here);
    EXPECT_TRUE(result.applies);
    EXPECT_EQ(result.verdict, Verdict::kNotJudged);
    EXPECT_EQ(result.reason, "the processor's name could not be read, so nobody knows whether this is AMD EPYC");
    const GateResult passed = judge(gate(kMemoryGate), {memory_record(1e9)}, here);  // of every machine
    EXPECT_EQ(passed.verdict, Verdict::kPass);
    EXPECT_EQ(exit_code({result, passed}, false), Exit::kNotJudged);
  }
  EXPECT_FALSE(judge(epyc, {memory_record(11e9)}, "x86_64, 8 cores").applies);  // a report of before
}

TEST(Gate, AMachineThatNobodyKnowsIsSaidAsWhatItsNameContains) {
  const GateConfig any = gate("{metric: peak_memory, at_most: 10, unit: GB, machine: {contains: My CPU}}");
  EXPECT_TRUE(any.applies_on("My CPU 2, 8 cores"));
  EXPECT_FALSE(any.applies_on("Apple M4 Max"));
  EXPECT_EQ(gate_json(any)["machine"], Json({{"contains", "My CPU"}}));
  for (const char* machine : {"{contains: My CPU}", "Apple M4 Max", "\"\""}) {  // a report reads what it wrote
    const GateConfig one = gate(fmt::format("{{metric: peak_memory, at_most: 10, unit: GB, machine: {}}}", machine));
    const GateConfig again = gate_from_json(gate_json(one), "report");
    EXPECT_EQ(again.machine.text, one.machine.text);
    EXPECT_EQ(again.machine.unchecked, one.machine.unchecked);
  }
  for (const char* machine : {"{contains: ''}", "{}", "{contain: X}", "[a]"})
    EXPECT_NE(error_of(fmt::format("{{metric: peak_memory, at_most: 10, unit: GB, machine: {}}}", machine)), "no error")
        << machine;
}

TEST(Gate, HoursThatNoProgramCanReachAreSaidToBeOutOfReach) {
  Record record;
  record.add("micro_step_time_s", "s", 10);
  record.add("update_time_s", "s", 1);
  record.facts = {{"micro_steps_per_step", 4},
                  {"matmul_flops_per_s", 1e12},
                  {"flops_per_token", 1e9},
                  {"tokens_per_step", 1e5},
                  {"max_steps", 36}};  // 100 s each at the least: one hour
  const GateResult result = judge(gate("{metric: train_hours, at_most: 0.25, unit: h}"), {record}, "");
  EXPECT_EQ(result.verdict, Verdict::kFail);
  EXPECT_NE(result.reason.find("out of reach here by 4x: at the probed matrix-product rate the work takes 1 h"),
            std::string::npos)
      << result.reason;
}

TEST(Gate, TargetBeyondTheProbedCeilingIsSaidToBeOutOfReach) {
  Record record;
  record.add("micro_step_time_s", "s", 10);
  record.add("update_time_s", "s", 1);
  record.facts = {
      {"micro_steps_per_step", 4}, {"matmul_flops_per_s", 1e12}, {"flops_per_token", 1e9}, {"tokens_per_step", 1e5}};
  const GateResult result = judge(gate("{metric: train_steps_per_s, at_least: 2, unit: steps/s}"), {record}, "");
  EXPECT_EQ(result.verdict, Verdict::kFail);
  EXPECT_NE(
      result.reason.find("out of reach here by 200x: at the probed matrix-product rate the work allows 0.01 steps/s"),
      std::string::npos)
      << result.reason;
}

TEST(Gate, WhatWasReachedIsNotOutOfReachWhateverTheProbeSays) {
  Record record;
  for (int i = 0; i < 8; ++i)
    record.add("micro_step_time_s", "s", 0.1 + 0.001 * i), record.add("update_time_s", "s", 0.1);
  record.facts = {
      {"micro_steps_per_step", 1}, {"matmul_flops_per_s", 1e12}, {"flops_per_token", 1e9}, {"tokens_per_step", 1e5}};
  EXPECT_EQ(judge(gate("{metric: train_steps_per_s, at_least: 2, unit: steps/s}"), {record}, "").verdict,
            Verdict::kPass);
}

/// A record whose prefill speed is 10 tokens/s with that spread.
Record timed(double spread) {
  Record record;
  for (int i = 0; i < 20; ++i) record.add("prefill_time_s", "s", 1 + spread * (i % 2 == 0 ? 1 : -1));
  record.facts = {{"prompt_tokens", 10}, {"batch", 1}};
  return record;
}

TEST(Gate, ATimedMetricIsDecidedByItsWholeInterval) {
  const GateConfig nine = gate("{metric: prefill_tokens_per_s, at_least: 9, unit: tokens/s}");
  EXPECT_EQ(judge(nine, {timed(0.05)}, "").verdict, Verdict::kPass);
  const GateResult noisy = judge(nine, {timed(0.2)}, "");
  EXPECT_EQ(noisy.verdict, Verdict::kNotJudged);
  EXPECT_EQ(noisy.reason.find("too noisy: the 95 % interval"), 0u) << noisy.reason;
  EXPECT_NE(noisy.reason.find("could not have been seen"), std::string::npos);
  EXPECT_EQ(judge(gate("{metric: prefill_tokens_per_s, at_least: 11, unit: tokens/s}"), {timed(0.05)}, "").verdict,
            Verdict::kFail);
  const GateConfig within = gate("{metric: prefill_tokens_per_s, within: [9.9, 10.1], unit: tokens/s}");
  EXPECT_EQ(judge(within, {timed(0.05)}, "").verdict, Verdict::kNotJudged);  // the interval is the wider one
  EXPECT_EQ(judge(within, {timed(0.001)}, "").verdict, Verdict::kPass);
}

TEST(Gate, ARateOfTimesThatFarApartNeitherPassesNorFails) {
  Record record;
  record.series["micro_step_time_s"] = {"s", {1, 9}};
  for (const char* limit : {"at_most: 1", "at_least: 0.2", "within: [0.1, 0.3]"})
    EXPECT_EQ(
        judge(gate(fmt::format("{{metric: train_micro_steps_per_s, {}, unit: steps/s}}", limit)), {record}, "").verdict,
        Verdict::kNotJudged)
        << limit;
}

TEST(Gate, OneSampleTellsNothingOfItsSpread) {
  Record record;
  record.add("prefill_time_s", "s", 1);
  record.facts = {{"prompt_tokens", 10}, {"batch", 1}};
  const GateResult result = judge(gate("{metric: prefill_tokens_per_s, at_least: 9, unit: tokens/s}"), {record}, "");
  EXPECT_EQ(result.verdict, Verdict::kNotJudged);
  EXPECT_EQ(result.reason, "10 was measured once: nothing tells its spread; raise budget_s or processes");
}

TEST(Gate, ADisturbedRunIsNotJudged) {
  Record record = timed(0.01);
  Block block;
  block.others = 0.6;
  block.samples["prefill_time_s"] = {0, 20};
  record.blocks = {block};
  const GateResult result = judge(gate("{metric: prefill_tokens_per_s, at_least: 9, unit: tokens/s}"), {record}, "");
  EXPECT_EQ(result.verdict, Verdict::kNotJudged);
  EXPECT_EQ(result.reason, "1 of 1 blocks were disturbed: other programs took 60 % of the processors");
}

const char* kTwice = "{metric: prefill_tokens_per_s, relative_to: base, at_least: 1.9, unit: '1'}";

/// Processes whose prefill speeds are those.
std::vector<Record> processes_of(std::initializer_list<double> speeds) {
  std::vector<Record> processes;
  for (const double speed : speeds) {
    processes.push_back(timed(0.01));
    processes.back().facts["prompt_tokens"] = speed;
  }
  return processes;
}

TEST(Gate, RelativeToAnotherCaseTheRatioIsJudged) {
  const auto base = processes_of({10, 11, 10.5});
  const GateResult met = judge(gate(kTwice), processes_of({20.2, 21.8, 21}), "", &base);
  EXPECT_EQ(met.verdict, Verdict::kPass);
  EXPECT_NEAR(met.measured.value, 2, 0.01);
  EXPECT_LT(met.measured.low, 2);
  EXPECT_GT(met.measured.high, 2);
  EXPECT_EQ(gate(kTwice).text(), "at_least 1.9 times base");
  const GateResult missed = judge(gate(kTwice), processes_of({15, 16.6, 15.7}), "", &base);
  EXPECT_EQ(missed.verdict, Verdict::kFail);
  EXPECT_EQ(missed.reason, "1.501 is not at_least 1.9 times base");
}

TEST(Gate, AMachineThatWasFasterBesideOneCaseCountsForNothing) {
  auto base = processes_of({10, 10.1, 9.9}), own = processes_of({20, 30, 40});
  const auto beside = [](std::vector<Record>& processes, std::initializer_list<double> reads) {
    auto read = reads.begin();
    for (Record& record : processes) {
      record.facts["work_flops"] = record.facts["work_bytes"] = 1;
      Block block;
      block.matmul_flops_per_s = 1000, block.read_bytes_per_s = *read++;
      block.samples["prefill_time_s"] = {0, 20};
      record.blocks = {block};
    }
  };
  beside(base, {1, 2, 1});
  beside(own, {1, 3, 2});
  EXPECT_NEAR(judge(gate(kTwice), own, "", &base).measured.value, 2, 0.01);
  for (Record& record : own) record.facts["work_flops"] = 1e6;  // products bound it: nothing in common with reads
  EXPECT_NEAR(judge(gate(kTwice), own, "", &base).measured.value, 2.884, 0.01);
}

TEST(Gate, OfExactMetricsTheWorstPairCounts) {
  const std::vector<Record> own{memory_record(5e9), memory_record(4.9e9)};
  const auto verdict = [&](std::vector<Record> base) {
    const char* memory = "{metric: peak_memory, relative_to: base, at_most: 2, unit: '1'}";
    return judge(gate(memory), own, "", &base).verdict;
  };
  EXPECT_EQ(verdict({memory_record(2.6e9), memory_record(2.5e9)}), Verdict::kPass);
  EXPECT_EQ(verdict({memory_record(2.6e9), memory_record(2e9)}), Verdict::kFail);
  EXPECT_EQ(verdict({memory_record(2e9), memory_record(2.6e9)}), Verdict::kFail);
}

TEST(Gate, TheSpreadOfARatioIsThatOfItsPairs) {
  const auto drifting = processes_of({10, 20, 40});  // as the machine did beside both
  EXPECT_EQ(judge(gate(kTwice), processes_of({20, 40, 80.1}), "", &drifting).verdict, Verdict::kPass);
  EXPECT_EQ(judge(gate(kTwice), processes_of({20, 50, 70}), "", &drifting).verdict, Verdict::kNotJudged);
  const auto once = processes_of({10});
  EXPECT_EQ(judge(gate(kTwice), processes_of({20, 21}), "", &once).reason,
            "2 was measured once: nothing tells its spread; raise budget_s or processes");
  auto disturbed = processes_of({10, 10.1});
  Block block;
  block.others = 0.6;
  block.samples["prefill_time_s"] = {0, 20};
  disturbed[1].blocks = {block};
  EXPECT_EQ(judge(gate(kTwice), processes_of({20, 20}), "", &disturbed).reason,
            "base: 1 of 1 blocks were disturbed: other programs took 60 % of the processors");
}

TEST(Gate, WithoutTheOtherCaseARatioIsNotJudged) {
  const auto reason = [](const std::vector<Record>* base) {
    const GateResult result = judge(gate(kTwice), processes_of({20, 20.1}), "", base);
    EXPECT_EQ(result.verdict, Verdict::kNotJudged);
    return result.reason;
  };
  EXPECT_EQ(reason(nullptr), "case 'base', which it is relative to, did not run");
  std::vector<Record> other{Record{}};
  EXPECT_EQ(reason(&other), "case 'base' measured no prefill_tokens_per_s");
  other[0].status = Record::Status::kError;
  other[0].reason = "out of memory";
  EXPECT_EQ(reason(&other), "base: out of memory");
  Record estimated;
  estimated.facts["needed_memory_bytes"] = 9e9;
  const char* memory = "{metric: peak_memory, relative_to: base, at_least: 1, unit: '1'}";
  for (const Record& base : {estimated, memory_record(0), memory_record(-1e9), memory_record(INFINITY)}) {
    other = {memory_record(2e9), base};
    EXPECT_EQ(judge(gate(memory), {memory_record(5e9)}, "", &other).reason,
              "case 'base' has no peak_memory to divide by");
  }
}

TEST(Gate, AnExpectedFailureIsAcceptedAndAnUnexpectedPassFails) {
  const GateConfig marked = gate("{metric: peak_memory, at_most: 10, unit: GB, expected_failure: issue 7}");
  const GateResult failed = judge(marked, {memory_record(11e9)}, "");
  EXPECT_EQ(failed.verdict, Verdict::kExpectedFail);
  EXPECT_EQ(failed.reason, "11 is not at_most 10 GB (expected: issue 7)");
  const GateResult passed = judge(marked, {memory_record(9e9)}, "");
  EXPECT_EQ(passed.verdict, Verdict::kFail);
  EXPECT_EQ(passed.reason, "passed, although its failure was expected (issue 7): remove the mark from the suite");
}

TEST(Gate, MistakesInTheSuiteAreErrors) {
  EXPECT_EQ(error_of("{metric: peak_memory, at_most: 10, unit: MB}"), "unit: 'MB' is not the metric's unit");
  EXPECT_EQ(error_of("{metric: peak_memory, at_most: 10}"), "unit: is missing");
  EXPECT_EQ(error_of("{metric: peak_memry, at_most: 10, unit: GB}"), "metric: unknown metric 'peak_memry'");
  EXPECT_EQ(error_of("{metric: peak_memory, relative_to: base, at_most: 2, unit: GB}"),
            "unit: 'GB' is not the unit of a ratio");
  EXPECT_EQ(error_of("{metric: peak_memory, unit: GB}"),
            "metric: a gate needs exactly one of at_most, at_least, below, above, within, outside");
  EXPECT_EQ(error_of("{metric: peak_memory, at_most: 1, at_least: 1, unit: GB}"),
            "metric: a gate needs exactly one of at_most, at_least, below, above, within, outside");
  EXPECT_EQ(error_of("{metric: peak_memory, within: 1, unit: GB}"), "within: takes 2 number(s)");
  EXPECT_EQ(error_of("{metric: peak_memory, at_most: .nan, unit: GB}"),
            "at_most: expected a finite number, found '.nan'");
}

GateResult result(Verdict verdict, bool applies = true) { return {{}, verdict, applies, {}, ""}; }

TEST(ExitCode, FollowsTheVerdicts) {
  using enum Verdict;
  EXPECT_EQ(exit_code({result(kPass)}, false), Exit::kOk);
  EXPECT_EQ(exit_code({result(kPass), result(kFail)}, false), Exit::kGateFailed);
  EXPECT_EQ(exit_code({result(kExpectedFail)}, false), Exit::kOk);
  EXPECT_EQ(exit_code({result(kPass), result(kNotJudged)}, false), Exit::kNotJudged);
  EXPECT_EQ(exit_code({result(kFail), result(kNotJudged)}, false), Exit::kGateFailed);
  EXPECT_EQ(exit_code({result(kPass), result(kNotJudged, false)}, false), Exit::kOk);
  EXPECT_EQ(exit_code({result(kNotJudged, false)}, false), Exit::kNotJudged);  // nothing at all was judged
  EXPECT_EQ(exit_code({}, false), Exit::kNotJudged);
  EXPECT_EQ(exit_code({result(kPass)}, true), Exit::kCaseError);
  EXPECT_EQ(exit_code({result(kPass), result(kError)}, false), Exit::kCaseError);
}

/// A number of random intervals and limits on a small grid, so that ends meet often.
TEST(GateKinds, WhereAnIntervalLiesFollowsFromTheValuesThatAreAllowed) {
  std::mt19937_64 random(1);
  const auto drawn = [&] { return static_cast<double>(random() % 9); };
  std::map<std::string, std::set<Side>> seen;
  for (int i = 0; i < 20000; ++i) {
    const GateKind& kind = gate_kinds()[random() % gate_kinds().size()];
    std::vector<double> limits(kind.limits);
    for (double& limit : limits) limit = drawn();
    std::ranges::sort(limits);
    double least = drawn(), most = drawn();
    if (least > most) std::swap(least, most);
    const AllowedValues allowed = kind.allowed(limits);
    // Every half step: between two values of the grid nothing changes but at its values.
    bool some = false, all = true;
    for (double value = least; value <= most; value += 0.5) {
      some = some || allowed.holds(value);
      all = all && allowed.holds(value);
    }
    const Side side = allowed.side(least, most);
    EXPECT_EQ(side, all    ? Side::kInside
                    : some ? Side::kAcross
                           : Side::kOutside)
        << kind.name << " " << fmt::format("{} of {}..{}", fmt::join(limits, ", "), least, most);
    seen[kind.name].insert(side);
  }
  for (const auto& kind : gate_kinds()) EXPECT_EQ(seen[kind.name].size(), 3u) << kind.name;
}

TEST(GateKinds, OutsideIsNotPassedByAnIntervalThatHoldsWhatIsForbidden) {
  const AllowedValues outside = gate("{metric: peak_memory, outside: [9, 11], unit: GB}").allowed();
  EXPECT_EQ(outside.side(5, 20), Side::kAcross);
  EXPECT_EQ(outside.side(9.5, 10), Side::kOutside);
  EXPECT_EQ(outside.side(12, 20), Side::kInside);
  EXPECT_EQ(outside.side(1, 9), Side::kAcross);
  EXPECT_FALSE(outside.holds(std::nan("")));
}

TEST(Gate, ATargetIsARangeThatBeginsWithTheLimit) {
  EXPECT_EQ(gate("{metric: peak_memory, at_least: 2, target: [2, 3], unit: GB}").target[1], 3);
  for (const char* wrong : {"at_least: 2, target: [1, 3]", "at_least: 2, target: 2", "at_least: 2, target: [2, 1]",
                            "at_most: 2, target: [2, 3]", "within: [2, 3], target: [2, 3]"})
    EXPECT_THROW(gate(std::string("{metric: peak_memory, unit: GB, ") + wrong + "}"), Error) << wrong;
}

}  // namespace
}  // namespace bench::harness
