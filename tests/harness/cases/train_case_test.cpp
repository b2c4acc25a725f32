#include "harness/cases/train.h"
#include "harness/core/clock.h"
#include "tests/harness/cases/recorded.h"
#include "tests/model/tiny.h"
#include "tests/temporary_folder.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

constexpr std::int64_t kSteps = 2, kMicroSteps = 32;  // of one sequence each

/// A training case whose speed is known from the first block on, as long as the machine isn't disturbed.
Record run_two_steps(double time_s, bool all_steps, std::int64_t micro_steps = kMicroSteps,
                     std::int64_t steps = kSteps) {
  TrainCaseConfig config;
  config.model.value = model::tiny_config();
  TrainConfig& train = config.training.value.train;
  train.batch_size = 1;
  train.gradient_accumulation_steps = train.effective_batch_size = micro_steps;
  train.max_seq_length = 8;
  config.steps = steps;
  config.all_steps = all_steps;
  Context context{"train", find_device("cpu", "test"), time_s, {}};
  context.measuring.end_s = now_s() + time_s;
  context.measuring.block_s = 0;  // a micro-batch is a block
  context.measuring.probe = false;
  context.measuring.enough = [](const Record&) { return true; };
  return tests::recorded(run_train, config, context);
}

TEST(TrainCase, WithoutTimeForAStepItIsComposedOfOneMicroBatchAndOneUpdate) {
  const Record record = run_two_steps(0, false);
  EXPECT_EQ(record.samples("micro_step_time_s").size(), 1u);
  EXPECT_EQ(record.samples("update_time_s").size(), 1u);
  EXPECT_TRUE(record.notes.contains("partial_step"));
  EXPECT_TRUE(record.samples("loss").empty());  // it would depend on the time
  EXPECT_EQ(record.steps_cut(), "0 of 2 steps in 0 s");
}

TEST(TrainCase, AllStepsLeavesNoMicroBatchOut) {
  const Record record = run_two_steps(100, true);
  EXPECT_EQ(record.samples("micro_step_time_s").size(), static_cast<std::size_t>(kSteps * kMicroSteps - 1));
  EXPECT_EQ(record.samples("cold_micro_step_time_s").size(), 1u);
  EXPECT_EQ(record.samples("update_time_s").size() + record.samples("cold_update_time_s").size(),
            static_cast<std::size_t>(kSteps));
  EXPECT_FALSE(record.notes.contains("partial_step"));
  EXPECT_EQ(record.steps_cut(), "");
}

TEST(TrainCase, AllStepsAreMadeHoweverLittleTimeThereIs) {
  const Record record = run_two_steps(0, true, /*micro_steps=*/2);
  EXPECT_EQ(record.samples("loss").size(), static_cast<std::size_t>(kSteps));
  EXPECT_EQ(record.steps_cut(), "");
}

TEST(TrainCase, StepsThatWereNotMadeAreSaidToBeLeftOut) {
  const Record record = run_two_steps(0.2, false, /*micro_steps=*/1, /*steps=*/100'000);
  EXPECT_EQ(record.steps_cut().find(fmt::format("{} of 100000 steps in ", record.samples("loss").size())), 0u)
      << record.steps_cut();
}

bool memory_is_short = false;

/// The processor, on which the first micro-batch of more than one sequence does not fit. The speed probe, which makes
/// no gradients, fits.
Device short_of_memory() {
  Device device = find_device("cpu", "test");
  memory_is_short = true;
  device.synchronize = [] {
    if (!memory_is_short || !torch::GradMode::is_enabled()) return;
    memory_is_short = false;
    TORCH_CHECK_WITH(OutOfMemoryError, false, "MPS backend out of memory");
  };
  return device;
}

TEST(TrainCase, AMicroBatchThatDoesNotFitIsHalvedAndTheRecordIsThatOfTheHalf) {
  const tests::TemporaryFolder folder;
  for (const bool whole_run : {false, true}) {
    TrainCaseConfig config;
    config.model.value = model::tiny_config();
    TrainConfig& train = config.training.value.train;
    train.gradient_accumulation_steps = 1;
    train.batch_size = train.effective_batch_size = 2;
    train.max_seq_length = 8;
    train.output_dir = (folder.path() / "run").string();
    config.steps = 2;
    config.all_steps = true;
    config.keep_checkpoint = whole_run;
    const Device device = short_of_memory();
    Context context{"train", device, 100, {}};
    context.measuring.end_s = now_s() + 100;
    context.measuring.probe = false;
    const Record record = tests::recorded(run_train, config, context);
    EXPECT_EQ(record.notes.at("out_of_memory"),
              "micro-batch 2 x 8 did not fit (MPS backend out of memory); 1 was used; the peak memory is that of all "
              "tries");
    EXPECT_EQ(record.fact("micro_steps_per_step"), 2);
    EXPECT_NE(record.notes.at("execution").find("as micro-batches of 1,"), std::string::npos);
    EXPECT_EQ(record.samples("loss").size(), 2u) << whole_run;  // none of the try that failed
  }
}

/// A whole run of 200 steps that may take so long.
Record run_whole(double time_s, bool all_steps, const std::string& output_dir) {
  TrainCaseConfig config;
  config.model.value = model::tiny_config();
  TrainConfig& train = config.training.value.train;
  train.batch_size = train.gradient_accumulation_steps = train.effective_batch_size = 1;
  train.max_seq_length = 8;
  train.output_dir = output_dir;
  config.steps = 200;
  config.keep_checkpoint = true;
  config.all_steps = all_steps;
  Context context{"train", find_device("cpu", "test"), time_s, {}};
  context.measuring.end_s = now_s() + time_s;
  context.measuring.probe = false;
  return tests::recorded(run_train, config, context);
}

TEST(TrainCase, AWholeRunThatIsCutShortSaysHowManyStepsItMade) {
  const tests::TemporaryFolder folder;
  EXPECT_EQ(run_whole(0, false, (folder.path() / "cut").string()).steps_cut(), "1 of 200 steps in 0 s");
  const Record whole = run_whole(0, true, (folder.path() / "whole").string());
  EXPECT_EQ(whole.steps_cut(), "");
  EXPECT_EQ(whole.samples("loss").size(), 200u);
}

TEST(TrainCase, AColdStepsTimeIsLeftOutButNotItsLoss) {
  const Record record = run_two_steps(100, true, /*micro_steps=*/1);
  EXPECT_EQ(record.samples("micro_step_time_s").size(), 1u);
  EXPECT_EQ(record.samples("update_time_s").size(), 1u);
  ASSERT_EQ(record.samples("loss").size(), 2u);
  EXPECT_NE(record.samples("loss")[0], record.samples("loss")[1]);
}

TEST(TrainCase, ARunOfOneMicroBatchLeavesARecordThatCanBeRead) {
  const tests::TemporaryFolder folder;
  TrainCaseConfig config;
  config.model.value = model::tiny_config();
  TrainConfig& train = config.training.value.train;
  train.batch_size = train.gradient_accumulation_steps = train.effective_batch_size = 1;
  train.max_seq_length = 8;
  train.output_dir = (folder.path() / "run").string();
  config.steps = 1;
  config.keep_checkpoint = true;
  Context context{"train", find_device("cpu", "test"), 100, {}};
  context.measuring.end_s = now_s() + 100;
  const Record record = tests::recorded(run_train, config, context);
  EXPECT_EQ(record.samples("micro_step_time_s").size(), 1u);
  ASSERT_EQ(record.blocks.size(), 1u);
  EXPECT_TRUE(record.blocks[0].samples.contains("micro_step_time_s"));
  EXPECT_NO_THROW(record_from_json(to_json(record), "record"));
}

}  // namespace
}  // namespace bench::harness
