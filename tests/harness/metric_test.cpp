#include "harness/metric.h"

#include <cmath>
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
  const double step_s = 4 * 18.0 / 7 + 1;  // the first of the eight micro-batches is the cold one: 3 x 2 s and 4 x 3 s
  EXPECT_DOUBLE_EQ(value("train_steps_per_s", record), 1 / step_s);
  EXPECT_DOUBLE_EQ(value("train_tokens_per_s", record), 1000 / step_s);
  EXPECT_DOUBLE_EQ(value("train_micro_steps_per_s", record), 7.0 / 18);
  EXPECT_DOUBLE_EQ(value("train_cold_micro_step", record), 2);
  EXPECT_DOUBLE_EQ(value("train_tflops", record), 1000 / step_s * 1e9 * 1e-12);
  EXPECT_DOUBLE_EQ(value("train_share_of_ceiling", record), 100 * 1000 / step_s * 1e9 / 1e12);
  EXPECT_DOUBLE_EQ(value("train_tokens_in_22h", record), 1000 / step_s * 22 * 3600 / 1e6);
  EXPECT_DOUBLE_EQ(value("train_ceiling_steps_per_s", record), 1.0);
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
  record.add("peak_memory_bytes", "bytes", 3e9);
  record.add("peak_memory_bytes", "bytes", 5e9);
  record.add("seq_length", "tokens", 256);
  record.add("seq_length", "tokens", 512);
  record.facts["batch"] = 2;
  EXPECT_DOUBLE_EQ(value("peak_memory", record), 5);
  EXPECT_DOUBLE_EQ(value("memory_per_token", record), 2e9 / 256 / 2);
}

TEST(Metric, LossesAreFirstAndTheMeanOfTheLastTenth) {
  Record record;
  for (int i = 0; i < 20; ++i) record.add("loss", "nats", 20 - i);
  EXPECT_EQ(value("first_loss", record), 20);
  EXPECT_EQ(value("final_loss", record), 1.5);
}

TEST(Metric, NothingIsMadeUpForAnEmptyRecord) {
  EXPECT_TRUE(evaluate_metrics(Record{}).empty());
  Record skipped = training();
  skipped.status = Record::Status::kSkipped;
  EXPECT_TRUE(evaluate_metrics(skipped).empty());
}

TEST(Metric, NamesAreUniqueAndCeilingsExist) {
  std::set<std::string> names;
  for (const auto& metric : metrics()) {
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name;
    EXPECT_TRUE(!metric.ceiling || find_metric(metric.ceiling)) << metric.name;
  }
}

}  // namespace
}  // namespace bench::harness
