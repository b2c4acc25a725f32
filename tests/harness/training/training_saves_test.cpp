// What happens to a run whose folder can't be written to, or is another's, or whose weights are no longer worth saving.
#include "harness/training/checkpoint_saver.h"
#include "harness/training/training_state.h"
#include "tests/harness/training/few_steps.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

namespace fs = std::filesystem;
using model::tiny_config;
using tests::TemporaryFolder;

TrainSummary train_with(const TrainingConfig& config, const std::function<void(std::int64_t step)>& on_step,
                        bool overwrite = false) {
  TrainOptions options{.overwrite = overwrite, .quiet = true, .save_pause_s = 0};
  options.on_step = [&](const StepResult& result, const auto&, double) { on_step(result.step); };
  return train(tiny_config(), config, synthetic(), cpu(), options);
}

TEST(CheckpointSaver, OwesASaveThatFailedUntilOneSucceeds) {
  const RunDirectory directory("run");
  int failing = CheckpointSaver::kMostFailures - 1;
  std::vector<fs::path> written;
  CheckpointSaver saver(
      directory,
      [&](const fs::path& checkpoint) {
        if (failing-- > 0) throw Error("disk", "full");
        written.push_back(checkpoint);
      },
      0);
  for (std::int64_t step = 1; step < CheckpointSaver::kMostFailures; ++step) {
    EXPECT_NO_THROW(saver.save(step));
    EXPECT_TRUE(saver.owed());
    EXPECT_FALSE(saver.newest());
  }
  saver.save(CheckpointSaver::kMostFailures);
  EXPECT_FALSE(saver.owed());
  EXPECT_EQ(written, std::vector{directory.step_checkpoint(CheckpointSaver::kMostFailures)});
  EXPECT_EQ(saver.newest(), written[0]);
  failing = CheckpointSaver::kMostFailures - 1;  // in a row means since the last that succeeded
  for (std::int64_t step = 10; failing > 0; ++step) EXPECT_NO_THROW(saver.save(step));
}

TEST(CheckpointSaver, GivesUpAfterSeveralFailuresInARowAndNamesTheNewestCheckpoint) {
  const RunDirectory directory("run");
  CheckpointSaver saver(directory, [](const fs::path&) { throw Error("disk", "full"); }, 0);
  saver.has("run/step-000001", 1);
  for (int i = 1; i < CheckpointSaver::kMostFailures; ++i) saver.save(1 + i);
  const std::string said = error_of([&] { saver.save(9); });
  EXPECT_TRUE(has(said, "5 times in a row: disk: full")) << said;
  EXPECT_TRUE(has(said, "the newest checkpoint is run/step-000001")) << said;
  EXPECT_TRUE(has(error_of([&] { saver.save_last("run/final", 9); }), "run/final: cannot be saved, 5 times")) << said;
}

TEST(CheckpointSaver, AFaultOfOursIsNotTakenForAFullDisk) {
  const RunDirectory directory("run");
  CheckpointSaver saver(directory, [](const fs::path&) { throw std::logic_error("a bug"); }, 0);
  EXPECT_THROW(saver.save(1), std::logic_error);
}

TEST(TrainingSaves, OneThatFailsIsMadeUpForAfterTheNextStep) {
  const TemporaryFolder folder;
  TrainingConfig config = few_steps(folder.path() / "whole");
  config.train.save_steps = 2;
  train_with(config, [](std::int64_t) {});
  const std::string uninterrupted = read_file(folder.path() / "whole/final/model.safetensors");
  const fs::path run = folder.path() / "run";
  config.train.output_dir = run.string();
  train_with(config, [&](std::int64_t step) {
    if (step == 2) folder.write("run/step-000002", "in the way");
  });
  EXPECT_TRUE(fs::exists(run / "step-000003/training_state.json"));
  EXPECT_TRUE(fs::exists(run / "step-000004/training_state.json"));
  EXPECT_FALSE(fs::exists(run / "step-000005"));
  EXPECT_EQ(read_file(run / "step-000002"), "in the way");
  EXPECT_EQ(read_file(run / "final/model.safetensors"), uninterrupted);
}

TEST(TrainingSaves, TheLastOneThatCannotBeWrittenIsAnErrorAndLosesNoOther) {
  const TemporaryFolder folder;
  TrainingConfig config = few_steps(folder.path() / "run");
  config.train.save_steps = 2;
  const std::string said = error_of([&] {
    train_with(config, [&](std::int64_t step) {
      if (step == 6) folder.write("run/final", "in the way");
    });
  });
  EXPECT_TRUE(has(said, "final: cannot be saved, 5 times in a row")) << said;
  EXPECT_TRUE(has(said, "go on with --resume; the newest checkpoint is")) << said;
  EXPECT_EQ(read_training_state(folder.path() / "run/step-000004").step, 4);
}

TEST(TrainingSaves, LinesThatCannotBeLoggedAreWrittenWithTheNext) {
  const TemporaryFolder folder;
  TrainingConfig config = few_steps(folder.path() / "run");
  config.train.logging_steps = 1;
  const fs::path log = folder.path() / "run/metrics.jsonl";
  train_with(config, [&](std::int64_t step) {
    if (step == 1) fs::create_directory(log);
    if (step == 4) fs::remove(log);
  });
  std::istringstream lines(read_file(log));
  std::vector<std::int64_t> steps;
  for (std::string line; std::getline(lines, line);) steps.push_back(Json::parse(line)["step"]);
  EXPECT_EQ(steps, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 6}));  // the last is the validation
}

TEST(TrainingSaves, ALogThatCanNeverBeWrittenEndsNoRun) {
  const TemporaryFolder folder;
  TrainingConfig config = few_steps(folder.path() / "run");
  config.train.logging_steps = 1;
  EXPECT_NO_THROW(train_with(config, [&](std::int64_t) { fs::create_directory(folder.path() / "run/metrics.jsonl"); }));
  EXPECT_TRUE(fs::exists(folder.path() / "run/final"));
}

/// Its first update makes infinities of all weights.
TrainingConfig exploding(const fs::path& output) {
  TrainingConfig config = few_steps(output);
  config.train.learning_rate = 1e300;
  config.train.lr_scheduler = "constant";
  config.train.warmup_steps = 0;
  config.train.max_steps = 20;
  return config;
}

TEST(TrainingSaves, WeightsThatAreNotFiniteAreNeverSaved) {
  const TemporaryFolder folder;
  TrainingConfig config = exploding(folder.path() / "run");
  config.train.save_steps = 1;
  std::string said = error_of([&] { train_with(config, [](std::int64_t) {}); });
  EXPECT_TRUE(has(said, "step 1: no checkpoint is made of it: ")) << said;
  EXPECT_TRUE(has(said, "is not finite")) << said;
  EXPECT_TRUE(has(said, "there is no checkpoint yet")) << said;
  config.train.save_steps = 100;
  config.train.max_steps = 1;
  said = error_of([&] { train_with(config, [](std::int64_t) {}); });  // nor at the end
  EXPECT_TRUE(has(said, "no checkpoint is made of it")) << said;
  EXPECT_TRUE(RunDirectory(folder.path() / "run").checkpoints().empty());
}

TEST(TrainingSaves, TenStepsThatAreNotFiniteSayWhetherTheWeightsAre) {
  const TemporaryFolder folder;
  const std::string said = error_of([&] { train_with(exploding(folder.path() / "run"), [](std::int64_t) {}); });
  EXPECT_TRUE(has(said, "for the 10th time in a row")) << said;
  EXPECT_TRUE(has(said, "an update has made model.")) << said;
  EXPECT_TRUE(has(said, "there is no checkpoint yet")) << said;
  EXPECT_FALSE(has(said, "still finite")) << said;
}

TEST(TrainingSaves, ASecondRunInTheSameFolderIsRefusedAndTouchesNothing) {
  const TemporaryFolder folder;
  TrainingConfig config = few_steps(folder.path() / "run");
  config.train.logging_steps = 1;
  int refused = 0;
  train_with(config, [&](std::int64_t step) {
    if (step != 3) return;
    for (const bool resume : {false, true}) {
      const std::string said = error_of([&] {
        train(tiny_config(), config, synthetic(), cpu(), {.resume = resume, .overwrite = !resume, .quiet = true});
      });
      EXPECT_TRUE(has(said, "is in use by process " + std::to_string(::getpid()))) << said;
      ++refused;
    }
  });
  EXPECT_EQ(refused, 2);
  const std::string log = read_file(folder.path() / "run/metrics.jsonl");
  EXPECT_EQ(std::ranges::count(log, '\n'), 6 + 1);
  EXPECT_NO_THROW(train_with(config, [](std::int64_t) {}, /*overwrite=*/true));
}

TEST(TrainingConfig, SizesThatNoNumberOf64BitsCountsAreRefused) {
  const auto why = [](const std::function<void(TrainConfig&)>& change) {
    TrainConfig config = few_steps("run").train;
    change(config);
    std::string found;
    config.validate([&](bool ok, const std::string& key, const std::string& what, const std::string&) {
      if (!ok && found.empty()) found = key + ": " + what;
    });
    return found;
  };
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max(), kLarge = std::int64_t{1} << 30;
  EXPECT_EQ(why([](TrainConfig&) {}), "");
  EXPECT_TRUE(has(why([](TrainConfig& c) { c.effective_batch_size = kMost; }), "effective_batch_size: "));
  EXPECT_TRUE(has(why([](TrainConfig& c) { c.batch_size = kMost; }), "batch_size: 9223372036854775807 is too large"));
  EXPECT_TRUE(has(why([](TrainConfig& c) { c.max_seq_length = kMost; }), "max_seq_length: "));
  // Each a size, but not together.
  EXPECT_TRUE(has(why([](TrainConfig& c) {
                    c.batch_size = c.effective_batch_size = c.max_seq_length = c.max_steps = kLarge;
                    c.gradient_accumulation_steps = 1;
                  }),
                  "are more tokens than 64 bits can count"));
  EXPECT_TRUE(has(why([](TrainConfig& c) { c.prefetch_factor = kMost; }), "prefetch_factor: "));
}

}  // namespace
}  // namespace bench::harness
