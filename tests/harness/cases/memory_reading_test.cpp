// What the system doesn't tell is missing, never 0: such a device through a case to its gate.
#include "harness/host/memory_reading.h"

#include "harness/cases/memory.h"
#include "harness/cases/model_source.h"
#include "harness/cases/train.h"
#include "harness/core/clock.h"
#include "harness/judging/gate.h"
#include "harness/measuring/measure.h"
#include "harness/planning/ceilings.h"
#include "harness/training/memory_estimate.h"
#include "tests/harness/cases/recorded.h"
#include "tests/model/tiny.h"
#include "tests/temporary_folder.h"

#include <cmath>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

constexpr const char* kNoPeak = "no VmHWM in /proc/self/status";

/// This machine's processor, of which the system tells no peak and nothing of what is free.
Device blind_device() {
  Device device = find_device("cpu", "test");
  device.peak_bytes = [] { return MemoryReading::unread(kNoPeak); };
  device.available_bytes = [] { return MemoryReading::unread("no MemAvailable in /proc/meminfo"); };
  return device;
}

GateConfig gate(const std::string& yaml) { return read_config<GateConfig>(YamlNode::parse(yaml, "g")); }

TrainCaseConfig tiny_training() {
  TrainCaseConfig config;
  config.model.value = model::tiny_config();
  TrainConfig& train = config.training.value.train;
  train.batch_size = train.gradient_accumulation_steps = train.effective_batch_size = 1;
  train.max_seq_length = 8;
  config.steps = 1;
  return config;
}

Record train_on(const Device& device, const TrainCaseConfig& config) {
  // The first probe of a process notes the peak before it, for all that follow: other tests want a true one.
  probe_speed(find_device("cpu", "test"), torch::kFloat32);
  Context context{"train", device, 100, {}};
  context.measuring.end_s = now_s() + 100;
  context.measuring.probe = false;
  return tests::recorded(run_train, config, context);
}

TEST(MemoryReading, AnUnreadPeakIsNotJudgedAndSaysWhy) {
  const Record record = train_on(blind_device(), tiny_training());
  ASSERT_EQ(record.status, Record::Status::kOk) << record.reason;
  EXPECT_TRUE(record.samples("peak_memory_bytes").empty());
  for (const char* one :
       {"{metric: peak_memory, at_most: 1000, unit: GB}", "{metric: peak_memory, at_least: 0, unit: GB}",
        "{metric: memory_prediction_error, at_most: 1000, unit: '%'}"}) {
    const GateResult result = judge(gate(one), {record}, "");
    EXPECT_EQ(result.verdict, Verdict::kNotJudged) << one;
    EXPECT_EQ(result.reason, std::string("peak memory could not be read: ") + kNoPeak);
    EXPECT_EQ(exit_code({result}, false), Exit::kNotJudged);
  }
  const Record again = record_from_json(to_json(record), "record");  // as a saved report holds it
  EXPECT_EQ(judge(gate("{metric: peak_memory, at_most: 1000, unit: GB}"), {again}, "").verdict, Verdict::kNotJudged);
}

TEST(MemoryReading, EveryCountOfThePeakIsRecordedBesideTheOneThatIsJudged) {
  Device device = find_device("cpu", "test");
  device.peak_parts = [] {
    return std::vector<MemoryPart>{{"allocated", {7'760'000'000, ""}},
                                   {"reserved", {8'590'000'000, ""}},
                                   {"footprint", MemoryReading::unread("task_info failed")}};
  };
  Record record;
  record_peak_memory(device, record);
  EXPECT_EQ(record.samples("peak_memory_bytes").size(), 1u);
  EXPECT_EQ(record.fact("peak_allocated_bytes"), 7.76e9);
  EXPECT_EQ(record.fact("peak_reserved_bytes"), 8.59e9);
  EXPECT_FALSE(record.facts.contains("peak_footprint_bytes"));
  EXPECT_EQ(record.notes.at(kPeakPartsNote),
            "peak memory by who counts, with what the speed probe keeps: allocated 7.76 GB, reserved 8.59 GB, "
            "footprint unknown: task_info failed");
  Record of_one_count;
  record_peak_memory(find_device("cpu", "test"), of_one_count);
  EXPECT_FALSE(of_one_count.notes.contains(kPeakPartsNote));
}

TEST(MemoryReading, OneProcessWhosePeakIsUnreadDoesNotVanishAmongTheOthers) {
  Record known, unread;
  known.add("peak_memory_bytes", "bytes", 5e9);
  unread.notes[kPeakUnreadNote] = std::string("peak memory could not be read: ") + kNoPeak;
  const GateResult result = judge(gate("{metric: peak_memory, at_most: 10, unit: GB}"), {known, unread, known}, "");
  EXPECT_EQ(result.verdict, Verdict::kNotJudged);
  EXPECT_EQ(result.reason,
            std::string("process 2 of 3 measured no peak_memory: peak memory could not be read: ") + kNoPeak);
  EXPECT_EQ(judge(gate("{metric: peak_memory, at_most: 4, unit: GB}"), {known, unread}, "").verdict, Verdict::kFail);
}

TEST(MemoryReading, OfALengthWhosePeakIsUnreadTheCaseHasNone) {
  Record record, fits, unread;
  fits.add("peak_memory_bytes", "bytes", 5e9);
  fits.add("seq_length", "tokens", 256);
  EXPECT_TRUE(append_length(fits, 256, record));
  unread.notes[kPeakUnreadNote] = kNoPeak;
  EXPECT_FALSE(append_length(unread, 512, record));
  const GateResult result = judge(gate("{metric: peak_memory, at_most: 10, unit: GB}"), {record}, "");
  EXPECT_EQ(result.verdict, Verdict::kNotJudged);
  EXPECT_EQ(result.reason, std::string("sequence length 512: ") + kNoPeak);
}

TEST(MemoryReading, UnknownFreeMemoryNeitherFitsNorFails) {
  const Device blind = blind_device();
  const TrainCaseConfig config = tiny_training();
  const Execution execution{.micro_batch_size = 1};
  EXPECT_FALSE(why_training_does_not_fit(config.model.value, execution, 8, blind));
  EXPECT_EQ(why_fit_is_unknown(blind),
            "whether it fits is not known, since free memory could not be read: no MemAvailable in /proc/meminfo");
  EXPECT_FALSE(why_fit_is_unknown(find_device("cpu", "test")));
  EXPECT_EQ(train_on(blind, config).notes.at("fit_unknown"), *why_fit_is_unknown(blind));
  const MicroBatch automatic{.size = {0, true}};
  EXPECT_THROW(choose_execution(config.model.value, config.training.value, automatic, blind, "here"), Error);
  const MicroBatch within_budget{.size = {0, true}, .budget_bytes = 1e11};
  EXPECT_NO_THROW(choose_execution(config.model.value, config.training.value, within_budget, blind, "here"));
}

TEST(MemoryReading, WhatTheProgramHoldsIsLeftOutOfAPredictionOnlyWithAWord) {
  Device device = find_device("cpu", "test");
  device.current_bytes = [] { return MemoryReading::unread("no VmRSS in /proc/self/status"); };
  const TrainCaseConfig config = tiny_training();
  const auto error_of = [&](const MicroBatch& micro_batch) -> std::string {
    try {
      choose_execution(config.model.value, config.training.value, micro_batch, device, "here");
    } catch (const Error& e) {
      return e.message();
    }
    return "";
  };
  for (const double budget : {0.0, 1e9})
    EXPECT_EQ(error_of({.size = {0, true}, .budget_bytes = budget}),
              "auto takes what fits, but what the program itself holds could not be read: no VmRSS in "
              "/proc/self/status");
  EXPECT_EQ(error_of({.size = {1, false}}), "");
  const Record record = train_on(device, config);
  ASSERT_EQ(record.status, Record::Status::kOk) << record.reason;
  EXPECT_NE(record.notes.at("memory_estimate")
                .find("; without the program, whose memory could not be read: no VmRSS in /proc/self/status)"),
            std::string::npos);
  EXPECT_FALSE(record.facts.contains("predicted_memory_bytes"));
}

TEST(MemoryReading, ConditionsThatAreNotToldDisturbNobodyKnowsHowMuch) {
  const Disturbance unknown = disturbance_between({}, {});
  EXPECT_TRUE(std::isnan(unknown.others));
  EXPECT_TRUE(std::isnan(unknown.stolen));
  EXPECT_TRUE(std::isnan(unknown.swap_growth_bytes));
  Conditions before, after;
  before.cpu_total_s = before.cpu_busy_s = before.own_cpu_s = 0;  // as on macOS, which tells of no other machines
  after.cpu_total_s = 10, after.cpu_busy_s = 5, after.own_cpu_s = 4;
  for (const Conditions& later : {before, after}) EXPECT_TRUE(std::isnan(disturbance_between(before, later).stolen));
  EXPECT_DOUBLE_EQ(disturbance_between(before, after).others, 0.1);
  before.swap_used_bytes = 1e6;
  EXPECT_TRUE(std::isnan(disturbance_between(before, after).swap_growth_bytes));  // not a megabyte less
  after.swap_used_bytes = 3e6;
  EXPECT_EQ(disturbance_between(before, after).swap_growth_bytes, 2e6);
}

}  // namespace
}  // namespace bench::harness
