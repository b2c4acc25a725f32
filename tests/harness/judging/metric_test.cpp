#include "harness/judging/metric.h"

#include "harness/judging/report.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

double value(const char* name, const Record& record) {
  const auto estimate = find_metric(name)->formula(record);
  return estimate ? estimate->value : std::nan("");
}

Record training() {
  Record record;
  record.add("cold_micro_step_time_s", "s", 9.0);
  for (int step = 0; step < 2; ++step) {
    for (int micro = 0; micro < 4; ++micro) record.add("micro_step_time_s", "s", 2.0 + step);  // 2 s, then 3 s
    record.add("update_time_s", "s", 1.0);
  }
  record.facts = {
      {"micro_steps_per_step", 4}, {"tokens_per_step", 1000}, {"flops_per_token", 1e9}, {"matmul_flops_per_s", 1e12}};
  return record;
}

TEST(Metric, RatesAreWorkOverTotalTime) {
  const Record record = training();
  const double step_s = 4 * 2.5 + 1;
  EXPECT_DOUBLE_EQ(value("train_steps_per_s", record), 1 / step_s);
  EXPECT_DOUBLE_EQ(value("train_tokens_per_s", record), 1000 / step_s);
  EXPECT_DOUBLE_EQ(value("train_micro_steps_per_s", record), 8.0 / 20);
  EXPECT_DOUBLE_EQ(value("cold_start", record), 9000);
  EXPECT_DOUBLE_EQ(value("train_tflops", record), 1000 / step_s * 1e9 * 1e-12);
  EXPECT_DOUBLE_EQ(value("train_tokens_in_22h", record), 1000 / step_s * 22 * 3600 / 1e6);
  EXPECT_DOUBLE_EQ(value("train_ceiling_steps_per_s", record), 1.0);
}

/// A block of one series with the speed probe's result before it.
Block block(const std::string& series, std::size_t first, std::size_t last, double matmul, double read) {
  Block b;
  b.matmul_flops_per_s = matmul;
  b.read_bytes_per_s = read;
  b.samples[series] = {first, last};
  return b;
}

TEST(Metric, ShareOfCeilingTakesTheRoofThatBinds) {
  Record record;
  for (int i = 0; i < 8; ++i) record.add("prefill_time_s", "s", 2.0);
  record.blocks = {block("prefill_time_s", 0, 4, 100e9, 10e9), block("prefill_time_s", 4, 8, 100e9, 10e9)};
  record.facts = {{"work_flops", 100e9}, {"work_bytes", 1e9}};  // 100 FLOP/byte: memory would allow 1000 GFLOP/s
  EXPECT_DOUBLE_EQ(value("share_of_ceiling", record), 50);      // 50 GFLOP/s of 100
  record.facts["work_bytes"] = 10e9;                            // 10 FLOP/byte: both allow 100 GFLOP/s
  EXPECT_DOUBLE_EQ(value("share_of_ceiling", record), 50);
  record.facts["work_bytes"] = 16e9;  // memory allows 62.5 GFLOP/s
  EXPECT_DOUBLE_EQ(value("share_of_ceiling", record), 80);
}

TEST(Metric, ShareOfCeilingHasNoIntervalBesideARoofProbedOnceAndAWideOneBesideFew) {
  Record record;
  record.facts = {{"work_flops", 100e9}, {"work_bytes", 1e9}, {"prompt_tokens", 10}, {"batch", 1}};
  const auto share_of = [&](std::size_t blocks) {
    while (record.blocks.size() < blocks) {
      const std::size_t n = record.blocks.size();
      for (int i = 0; i < 4; ++i) record.add("prefill_time_s", "s", 2 + 0.1 * i);
      record.blocks.push_back(block("prefill_time_s", 4 * n, 4 * n + 4, 100e9 + 1e9 * static_cast<double>(n), 10e9));
    }
    return *find_metric("share_of_ceiling")->formula(record);
  };
  EXPECT_FALSE(share_of(1).has_interval());
  const Estimate two = share_of(2), five = share_of(5);
  EXPECT_TRUE(two.has_interval());
  EXPECT_GT(two.relative_half_width(), five.relative_half_width());
  // Wider than the speed's own interval alone: the probe's spread is in it.
  EXPECT_GT(five.relative_half_width(), find_metric("prefill_tokens_per_s")->formula(record)->relative_half_width());
}

TEST(Metric, ShareOfCeilingHasNoIntervalWhereTheSpeedHasNone) {
  Record record;
  record.facts = {{"work_flops", 100e9}, {"work_bytes", 1e9}};
  for (const double s : {2.0, 2.1}) record.add("prefill_time_s", "s", s);
  record.blocks = {block("prefill_time_s", 0, 1, 100e9, 10e9), block("prefill_time_s", 1, 2, 101e9, 10e9)};
  EXPECT_FALSE(find_metric("share_of_ceiling")->formula(record)->has_interval());
}

TEST(Metric, WarmUpAndDisturbedBlocksDoNotCount) {
  Record record;
  for (const double s : {5.0, 5.0, 1.0, 1.0, 9.0, 9.0, 1.0, 1.0}) record.add("prefill_time_s", "s", s);
  for (std::size_t i = 0; i < 8; i += 2) record.blocks.push_back(block("prefill_time_s", i, i + 2, 100e9, 10e9));
  record.blocks[0].warmup = true;
  record.blocks[2].others = 0.5;
  record.facts = {{"prompt_tokens", 10}, {"batch", 1}};
  EXPECT_DOUBLE_EQ(value("prefill_tokens_per_s", record), 10);
  EXPECT_EQ(record.counted("prefill_time_s").size(), 4u);
  EXPECT_EQ(record.was_disturbed(), "");
  record.blocks[1].stolen = record.blocks[3].stolen = 0.2;  // now nothing is left that was not disturbed
  EXPECT_EQ(record.counted("prefill_time_s").size(), 6u);
  EXPECT_EQ(record.counted_blocks().size(), 3u);
  EXPECT_NE(record.was_disturbed().find("3 of 3 blocks were disturbed"), std::string::npos);
}

TEST(Metric, ABlockBesideAnUnusualProbeIsDisturbed) {
  Record record;
  for (int i = 0; i < 5; ++i)
    record.add("prefill_time_s", "s", 1), record.blocks.push_back(block("prefill_time_s", i, i + 1, 100e9, 10e9));
  EXPECT_EQ(record.disturbance(record.blocks[4]), "");
  record.blocks[4].read_bytes_per_s = 8e9;
  EXPECT_EQ(record.disturbance(record.blocks[4]), "memory reads ran at 80 % of their usual speed");
  record.blocks[4].read_bytes_per_s = 11e9;
  EXPECT_EQ(record.disturbance(record.blocks[4]), "");
  record.blocks[4].read_bytes_per_s = 20e9;
  EXPECT_EQ(record.disturbance(record.blocks[4]), "memory reads ran at 200 % of their usual speed");
}

/// Six blocks of a second; from the third on the machine is hot, and slower by a third.
Record heated(const char* type) {
  Record record;
  record.type = type;
  for (std::size_t i = 0; i < 6; ++i) {
    record.add("micro_step_time_s", "s", 1);
    Block one = block("micro_step_time_s", i, i + 1, i < 2 ? 100e9 : 67e9, 10e9);
    one.begin_s = static_cast<double>(i), one.end_s = one.begin_s + 1;
    one.thermal_level = i < 2 ? 0 : i < 5 ? 1 : 2;
    record.blocks.push_back(one);
  }
  return record;
}

TEST(Metric, HeatIsAConditionOfTrainingAndADisturbanceOfTheRest) {
  Record training = heated("train");
  EXPECT_EQ(training.counted_blocks().size(), 6u);
  EXPECT_EQ(training.was_disturbed(), "");
  EXPECT_EQ(training.ran_hot(), "hot for 67 % of the measured time, up to thermal level 2");
  training.blocks[4].matmul_flops_per_s = 40e9;  // slower than heat makes it
  EXPECT_EQ(training.disturbance(training.blocks[4]), "matrix products ran at 60 % of their usual speed");
  const Record decoding = heated("decode");
  EXPECT_EQ(decoding.disturbance(decoding.blocks[3]), "the machine was hot: thermal level 1");
  // The cool blocks as well: their machine was faster than it was in most.
  EXPECT_NE(decoding.was_disturbed().find("6 of 6 blocks were disturbed"), std::string::npos);
  Record cool = heated("train");
  for (auto& one : cool.blocks) one.thermal_level = 0;
  EXPECT_EQ(cool.ran_hot(), "");
  for (auto& one : cool.blocks) one.thermal_level = -1;  // the system doesn't tell
  EXPECT_EQ(cool.ran_hot(), "");
}

TEST(Metric, ProcessesAreTheUnitOfTimesAndTheWorstOfExactOnes) {
  std::vector<Record> processes;
  for (const double s : {1.0, 2.0, 4.0}) {
    Record record;
    for (int i = 0; i < 10; ++i) record.add("prefill_time_s", "s", s);
    record.add("peak_memory_bytes", "bytes", 1e9 * s);
    record.facts = {{"prompt_tokens", 8}, {"batch", 1}};
    processes.push_back(record);
  }
  const auto speed = evaluate(*find_metric("prefill_tokens_per_s"), processes);
  EXPECT_EQ(speed->n, 3);
  EXPECT_DOUBLE_EQ(speed->value, (8.0 + 4 + 2) / 3);
  EXPECT_LT(speed->low, 2);  // three processes that differ so much tell little
  EXPECT_DOUBLE_EQ(evaluate(*find_metric("peak_memory"), processes)->value, 4);
}

TEST(Metric, AChecksumThatProcessesDisagreeAboutIsNotANumber) {
  std::vector<Record> processes(3);
  for (auto& record : processes) record.facts["checksum"] = 7;
  EXPECT_DOUBLE_EQ(evaluate(*find_metric("token_checksum"), processes)->value, 7);
  processes[1].facts["checksum"] = 6;
  EXPECT_TRUE(std::isnan(evaluate(*find_metric("token_checksum"), processes)->value));
}

TEST(Metric, WhatIsNotANumberInOneProcessIsTheWorst) {
  std::vector<Record> processes(3);
  for (auto& record : processes) record.add("loss", "nats", 2);
  processes[1].series["loss"].samples = {std::nan("")};
  EXPECT_TRUE(std::isnan(evaluate(*find_metric("first_loss"), processes)->value));
}

TEST(Metric, PartialStepIsComposedFromItsParts) {
  Record record;
  record.add("micro_step_time_s", "s", 5);
  record.add("update_time_s", "s", 2);
  record.facts = {{"micro_steps_per_step", 64}};
  const auto estimate = find_metric("train_steps_per_s")->formula(record);
  EXPECT_DOUBLE_EQ(estimate->value, 1.0 / (64 * 5 + 2));
  EXPECT_EQ(estimate->n, 1);
}

TEST(Metric, TimesFarApartLeaveTheirRateAWideIntervalThatIsPositive) {
  Record record;
  record.series["micro_step_time_s"] = {"s", {1, 9}};  // two samples: 5 +- 51
  const auto estimate = find_metric("train_micro_steps_per_s")->formula(record);
  EXPECT_DOUBLE_EQ(estimate->value, 0.2);
  EXPECT_GT(estimate->low, 0);
  EXPECT_LT(estimate->low, 1e-4);
  EXPECT_GT(estimate->high, 1000);
  EXPECT_TRUE(std::isfinite(estimate->high));
}

TEST(Metric, PerplexityAndBitsPerByte) {
  Record record;
  record.facts = {{"nll_nats", 200}, {"scored_tokens", 100}, {"text_bytes", 400}, {"optimum_nll_nats", 100}};
  EXPECT_DOUBLE_EQ(value("perplexity", record), std::exp(2.0));
  EXPECT_DOUBLE_EQ(value("bits_per_byte", record), 0.5 / std::log(2.0));
  EXPECT_DOUBLE_EQ(value("perplexity_over_optimum", record), std::exp(1.0));
}

TEST(Metric, MemoryIsTheLargestPeakOrWhatWouldBeNeeded) {
  Record record;
  record.facts["needed_memory_bytes"] = 50e9;
  EXPECT_DOUBLE_EQ(value("peak_memory", record), 50);
  record.facts.clear();
  record.add("peak_memory_bytes", "bytes", 3e9);
  record.add("peak_memory_bytes", "bytes", 5e9);
  record.add("seq_length", "tokens", 256);
  record.add("seq_length", "tokens", 512);
  record.facts["batch"] = 2;
  EXPECT_DOUBLE_EQ(value("peak_memory", record), 5);
  EXPECT_DOUBLE_EQ(value("memory_per_token", record), 2e9 / 256 / 2);
  EXPECT_EQ(find_metric("peak_memory")->formula(record)->n, 1);
  record.facts["needed_memory_bytes"] = 14e9;
  EXPECT_DOUBLE_EQ(value("peak_memory", record), 14);
  EXPECT_EQ(find_metric("peak_memory")->formula(record)->n, 0);
}

TEST(Metric, KeptReportsHaveNoneThatTheirCaseIsNotSaidToMeasure) {
  std::size_t reports = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(BENCH_SOURCE_DIR "/results")) {
    // Runs that nobody named lie in folders of their time, and may be of any age.
    if (entry.path().filename() != "report.json" || entry.path().parent_path().filename().string()[0] == '2') continue;
    ++reports;
    for (const auto& one : read_report(entry.path()).cases)
      for (const auto& value : one.metrics)
        EXPECT_TRUE(value.metric->measured_by(one.type) || one.record().declares(value.metric->name))
            << entry.path() << ": " << one.type << " " << value.metric->name;
  }
  EXPECT_GT(reports, 3u);
  for (const auto& metric : metrics()) EXPECT_FALSE(metric.measured_by("code")) << metric.name;  // a part of a name
}

TEST(Metric, MemoryBeyondTheModelNeedsItsWeightsAndCache) {
  Record record;
  record.add("peak_memory_bytes", "bytes", 1.1e9);
  record.facts["weight_bytes"] = 0.7e9;
  EXPECT_FALSE(find_metric("memory_beyond_model")->formula(record));
  record.facts["kv_cache_bytes"] = 0.25e9;
  EXPECT_NEAR(value("memory_beyond_model", record), 0.15, 1e-12);
}

TEST(Metric, WhatOneProcessOnlyEstimatesIsNotKnownFromTheOthers) {
  Record measured, cut_short;
  measured.add("peak_memory_bytes", "bytes", 9e9);
  cut_short.add("peak_memory_bytes", "bytes", 5e9);
  cut_short.notes["cut_short"] = "budget_s was used up before sequence length 512";
  const auto peak = evaluate(*find_metric("peak_memory"), {measured, cut_short});
  EXPECT_DOUBLE_EQ(peak->value, 9);
  EXPECT_TRUE(std::isinf(peak->high));
  EXPECT_EQ(peak->n, 0);
}

TEST(Metric, MemoryPredictionErrorIsThatOfTheWorstLength) {
  Record record;
  EXPECT_TRUE(std::isnan(value("memory_prediction_error", record)));
  for (const double peak : {4e9, 5e9}) record.add("peak_memory_bytes", "bytes", peak);
  for (const double predicted : {3.8e9, 5.1e9}) record.add("predicted_memory_bytes", "bytes", predicted);
  EXPECT_NEAR(value("memory_prediction_error", record), 5, 1e-9);
  Record training;  // which predicts once
  training.facts["predicted_memory_bytes"] = 9e9;
  training.add("peak_memory_bytes", "bytes", 10e9);
  EXPECT_NEAR(value("memory_prediction_error", training), 10, 1e-9);
}

TEST(Metric, LossesAreFirstAndTheMeanOfTheLastTenth) {
  Record record;
  for (int i = 0; i < 20; ++i) record.add("loss", "nats", 20 - i);
  EXPECT_EQ(value("first_loss", record), 20);
  EXPECT_EQ(value("final_loss", record), 1.5);
}

TEST(Metric, NothingIsMadeUpForAnEmptyRecord) {
  EXPECT_TRUE(evaluate_metrics({Record{}}).empty());
  Record skipped = training();
  skipped.status = Record::Status::kSkipped;
  EXPECT_TRUE(evaluate_metrics({skipped}).empty());
}

TEST(Metric, NamesAreUniqueAndCeilingsExist) {
  std::set<std::string> names;
  for (const auto& metric : metrics()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_TRUE(!metric.ceiling || find_metric(metric.ceiling)) << metric.name;
    EXPECT_TRUE(!metric.share || find_metric(metric.share)) << metric.name;
  }
}

}  // namespace
}  // namespace bench::harness
