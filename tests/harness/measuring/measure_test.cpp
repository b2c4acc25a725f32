#include "harness/measuring/measure.h"

#include "harness/core/clock.h"
#include "harness/measuring/work_counter.h"
#include "harness/running/stop_rule.h"
#include "model/tensor.h"

#include <thread>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

const Device& cpu() { return find_device("cpu", "test"); }

MeasureOptions plan(double budget_s) {
  MeasureOptions made;
  made.end_s = now_s() + budget_s;
  made.block_s = 0;  // one piece is a block
  made.probe = false;
  return made;
}

/// Adds these samples one after another, whatever the clock says.
TimedWork pieces(std::vector<double> samples) {
  return [samples, i = std::size_t{0}](Record& into) mutable {
    into.add("time_s", "s", samples[i++]);
    return i < samples.size();
  };
}

TEST(Measure, TheColdPieceIsASeriesOfItsOwn) {
  Record record;
  measure_in_blocks(cpu(), torch::kFloat32, plan(100), pieces({9, 1, 1, 1}), record);
  EXPECT_EQ(record.samples("cold_time_s"), std::vector<double>{9});
  EXPECT_EQ(record.samples("time_s").size(), 3u);
}

TEST(Measure, WarmUpLastsWhileBlocksGetFaster) {
  Record record;
  measure_in_blocks(cpu(), torch::kFloat32, plan(100), pieces({9, 4, 3, 2, 2, 2, 2}), record);
  std::vector<bool> warmup;
  for (const auto& block : record.blocks) warmup.push_back(block.warmup);
  EXPECT_EQ(warmup, (std::vector<bool>{true, true, true, false, false, false}));
}

TEST(Measure, WhenThereIsTimeForOnePieceItIsTheOnlySample) {
  Record record;
  measure_in_blocks(cpu(), torch::kFloat32, plan(0), pieces({9, 1, 1}), record);
  EXPECT_EQ(record.samples("time_s"), std::vector<double>{9});
  EXPECT_TRUE(record.samples("cold_time_s").empty());
}

TEST(Measure, StopsWhenTheRecordSaysEnough) {
  Record record;
  MeasureOptions until_enough = plan(100);
  until_enough.enough = [](const Record& r) { return r.samples("time_s").size() >= 7; };
  measure_in_blocks(cpu(), torch::kFloat32, until_enough, pieces(std::vector<double>(1000, 1.0)), record);
  EXPECT_EQ(record.samples("time_s").size(), 7u);
  Record limited;
  MeasureOptions blocks = plan(100);
  blocks.max_blocks = 3;
  measure_in_blocks(cpu(), torch::kFloat32, blocks, pieces(std::vector<double>(1000, 1.0)), limited);
  std::int64_t timed = 0;
  for (const auto& block : limited.blocks) timed += !block.warmup;
  EXPECT_EQ(timed, 3);
}

TEST(Measure, BlocksSayWhatTheMachineDid) {
  Record record;
  MeasureOptions probed = plan(100);
  probed.probe = true;
  measure_in_blocks(cpu(), torch::kFloat32, probed, pieces({1, 1, 1}), record);
  ASSERT_EQ(record.blocks.size(), 2u);
  EXPECT_GT(record.blocks[1].matmul_flops_per_s, 1e8);
  EXPECT_GT(record.blocks[1].read_bytes_per_s, 1e8);
  EXPECT_GE(record.blocks[1].end_s, record.blocks[1].begin_s);
}

TEST(Measure, WhatTheProbeKeepsIsNoPartOfThePeak) {
  Device device = cpu();
  device.peak_bytes = [] { return MemoryReading{std::int64_t{1} << 40, ""}; };
  probe_speed(cpu(), torch::kFloat32);  // from here on it keeps what it reads
  const std::int64_t before = peak_bytes_without_probe(device).bytes;
  EXPECT_LE(before, (std::int64_t{1} << 40) - (std::int64_t{128} << 20));
  EXPECT_GT(probe_speed(device, torch::kFloat64).matmul_flops_per_s, 1e8);
  const std::int64_t after = peak_bytes_without_probe(device).bytes;
  EXPECT_LE(after, before - 3 * 512 * 512 * 8);
  probe_speed(device, torch::kFloat64);
  EXPECT_EQ(peak_bytes_without_probe(device).bytes, after);
  device.peak_bytes = [] { return MemoryReading::unread("no VmHWM"); };
  EXPECT_EQ(peak_bytes_without_probe(device).missing, "no VmHWM");  // not less than nothing
}

TEST(Measure, ThePlantedSlowdownStretchesTimes) {
  const auto spin = [] {
    for (const double end = now_s() + 0.01; now_s() < end;) {
    }
  };
  plant_slowdown(1.0);
  const double stretched = time_once(cpu(), spin);
  plant_slowdown(0);
  EXPECT_GE(stretched, 0.02);
}

TEST(WorkCounter, CountsOperatorsArithmeticAndAllocations) {
  const torch::Tensor a = torch::ones({8, 16});
  torch::Tensor b = torch::ones({16, 32}).requires_grad_();
  const auto work = [&] { torch::mm(a, b).sum().backward(); };
  const WorkCount count = count_work(work);
  EXPECT_EQ(count.matmul_flops, 2 * (2.0 * 8 * 16 * 32));  // forward, and the gradient of b
  EXPECT_GE(count.operator_calls, 3);
  EXPECT_GE(count.allocated_bytes, 4.0 * (8 * 32 + 16 * 32));
  b.mutable_grad().reset();  // else the second run would add to it
  const WorkCount again = count_work([&] {
    std::thread([&] { torch::mm(a, a.t()); }).join();  // another thread's work is not this piece's
    work();
  });
  EXPECT_EQ(again.operator_calls, count.operator_calls);
  EXPECT_EQ(again.matmul_flops, count.matmul_flops);
}

Record timed(double spread) {
  Record record;
  for (int i = 0; i < 20; ++i) record.add("prefill_time_s", "s", 1 + spread * (i % 2 == 0 ? 1 : -1));
  record.facts = {{"prompt_tokens", 10}, {"batch", 1}};
  return record;
}

GateConfig gate(const std::string& yaml) { return read_config<GateConfig>(YamlNode::parse(yaml, "g")); }

TEST(StopRule, StopsWhenPreciseOrWhenTheGateIsDecided) {
  EXPECT_TRUE(measured_enough({timed(0.01)}, {}, 0.02));
  EXPECT_FALSE(measured_enough({timed(0.05)}, {}, 0.02));
  const GateConfig far = gate("{metric: prefill_tokens_per_s, at_least: 5, unit: tokens/s}");
  const GateConfig near = gate("{metric: prefill_tokens_per_s, at_least: 9.9, unit: tokens/s}");
  EXPECT_TRUE(measured_enough({timed(0.05)}, {far}, 0.02));
  EXPECT_FALSE(measured_enough({timed(0.05)}, {near}, 0.02));
  EXPECT_TRUE(measured_enough({timed(0.01)}, {gate("{metric: peak_memory, at_most: 5, unit: GB}")}, 0.02));
}

TEST(StopRule, ARatioOfTwoCasesNeedsThePrecisionOfBoth) {
  const GateConfig relative = gate("{metric: prefill_tokens_per_s, relative_to: base, at_least: 0.5, unit: '1'}");
  const GateConfig far = gate("{metric: prefill_tokens_per_s, at_least: 5, unit: tokens/s}");
  const GateConfig near = gate("{metric: prefill_tokens_per_s, at_least: 9.99, unit: tokens/s}");
  EXPECT_FALSE(measured_enough({timed(0.05)}, {far, relative}, 0.02));
  EXPECT_TRUE(measured_enough({timed(0.01)}, {far, relative}, 0.02));
  EXPECT_FALSE(measured_enough({timed(0.01)}, {near, relative}, 0.02));
}

TEST(StopRule, ARatioIsDecidedByItsPairs) {
  const auto speeds = [](std::initializer_list<double> values) {
    std::vector<Record> processes;
    for (const double value : values) processes.push_back(timed(0.01)), processes.back().facts["batch"] = value;
    return processes;
  };
  const GateConfig twice = gate("{metric: prefill_tokens_per_s, relative_to: base, at_least: 1.8, unit: '1'}");
  EXPECT_TRUE(ratio_decided(twice, speeds({2, 4.02, 8}), speeds({1, 2, 4})));
  EXPECT_FALSE(ratio_decided(twice, speeds({2, 4.4, 7.6}), speeds({1, 2, 4})));
  EXPECT_FALSE(ratio_decided(twice, speeds({2}), speeds({1})));
  EXPECT_FALSE(ratio_decided(twice, speeds({2}), {}));
}

TEST(StopRule, TimesThatMakeNoSpeedYetAreNotEnough) {
  Record training;
  for (int i = 0; i < 20; ++i) training.add("micro_step_time_s", "s", 1 + 0.001 * (i % 2));
  training.facts = {{"micro_steps_per_step", 64}, {"tokens_per_step", 100}};
  Block block;
  block.samples["micro_step_time_s"] = {0, 20};
  training.blocks = {block};
  EXPECT_FALSE(measured_enough({training}, {}, 0.02));
  const GateConfig absolute = gate("{metric: train_tokens_per_s, at_least: 0.1, unit: tokens/s}");
  EXPECT_FALSE(measured_enough({training}, {absolute}, 0.02));
  for (int i = 0; i < 2; ++i) training.add("update_time_s", "s", 1 + 0.001 * i);
  EXPECT_TRUE(measured_enough({training}, {}, 0.02));
  EXPECT_TRUE(measured_enough({training}, {absolute}, 0.02));
  EXPECT_TRUE(measured_enough({Record{}}, {}, 0.02));  // nothing is timed in it
}

TEST(StopRule, OneSampleIsNeverEnough) {
  Record record;
  record.add("prefill_time_s", "s", 1);
  record.facts = {{"prompt_tokens", 10}, {"batch", 1}};
  EXPECT_FALSE(measured_enough({record}, {}, 0.02));
}

}  // namespace
}  // namespace bench::harness
