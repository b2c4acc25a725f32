// A run that goes on from a checkpoint is the run that was never stopped, or an error says why it can't be.
#include "harness/training/resume.h"

#include "harness/training/training_state.h"
#include "model/checkpoint.h"
#include "tests/harness/training/few_steps.h"

#include <cmath>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

using model::tiny_config;
using tests::TemporaryFolder;

/// A trainer whose steps can be spoilt.
struct ShortRun {
  explicit ShortRun(std::int64_t first_step = 0, torch::Dtype dtype = torch::kFloat32)
      : config(few_steps("unused")),
        execution{4, false, dtype, true},
        batches(data.train, 4, config.train.max_seq_length, 1),
        trainer(new_model(tiny_config(), torch::kFloat32, cpu(), 1), config, execution, cpu(), batches, first_step) {}
  void good_step() { EXPECT_FALSE(trainer.step().skipped); }
  void poisoned_step() {
    trainer.micro_step();
    trainer.model()->parameters()[0].mutable_grad().view({-1})[0] = NAN;
    EXPECT_TRUE(trainer.update().skipped);
  }
  TrainingData data = synthetic();
  TrainingConfig config;
  Execution execution;
  Batches batches;
  Trainer trainer;
};

/// Where `run` goes on from a checkpoint of itself, made in `folder`.
std::unique_ptr<ShortRun> resumed(ShortRun& run, const std::filesystem::path& folder,
                                  torch::Dtype dtype = torch::kFloat32) {
  save_training_checkpoint(run.trainer, folder, nullptr, Json::object());
  auto next = std::make_unique<ShortRun>(read_training_state(folder).step, dtype);
  model::load_weights(next->trainer.model(), folder);
  load_training_state(next->trainer, folder);
  return next;
}

TEST(Resume, AfterASkippedStepEqualsUninterruptedToTheBit) {
  const TemporaryFolder folder;
  ShortRun whole, first;
  for (ShortRun* run : {&whole, &first}) {
    run->good_step();
    run->poisoned_step();
    run->good_step();
  }
  const auto second = resumed(first, folder.path() / "c");
  for (ShortRun* run : {&whole, second.get()})
    for (int i = 0; i < 3; ++i) run->good_step();
  const auto expected = whole.trainer.model()->parameters(), found = second->trainer.model()->parameters();
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_TRUE(torch::equal(expected[i], found[i])) << i;
  EXPECT_EQ(second->trainer.steps_skipped(), 1);
  EXPECT_EQ(second->trainer.optimizer().updates(), 5);
}

TEST(Resume, CountsSkippedStepsInARowAcrossTheCheckpoint) {
  const TemporaryFolder folder;
  ShortRun first;
  first.good_step();
  for (int i = 0; i < 6; ++i) first.poisoned_step();
  const auto second = resumed(first, folder.path() / "c");
  for (int i = 0; i < 3; ++i) second->poisoned_step();
  EXPECT_EQ(second->trainer.steps_skipped(), 9);
  EXPECT_THROW(second->poisoned_step(), Error);  // the tenth in a row
}

TEST(Resume, TheLossScalerGoesOnWhereItWas) {
  const TemporaryFolder folder;
  ShortRun first(0, torch::kHalf);
  first.poisoned_step();
  first.good_step();
  first.good_step();
  const auto second = resumed(first, folder.path() / "c", torch::kHalf);
  EXPECT_EQ(second->trainer.loss_scaler().scale(), 32768);
  EXPECT_EQ(second->trainer.loss_scaler().good_steps(), 2);
}

/// Takes keys out of a checkpoint's state, as if an older program had written it.
void forget(const std::filesystem::path& checkpoint, const std::vector<std::string>& pointers) {
  const auto file = checkpoint / "training_state.json";
  Json state = Json::parse(read_file(file));
  for (const auto& pointer : pointers) {
    const Json::json_pointer at(pointer);
    ASSERT_TRUE(state.contains(at)) << pointer;
    state[at.parent_pointer()].erase(at.back());
  }
  write_file_atomically(file, state.dump());
}

TEST(Resume, AStateOfAnOlderProgramTakesEachStepForAnUpdate) {
  const TemporaryFolder folder;
  ShortRun first;
  for (int i = 0; i < 3; ++i) first.good_step();
  save_training_checkpoint(first.trainer, folder.path() / "c", nullptr, Json::object());
  forget(folder.path() / "c", {"/updates", "/skipped_steps", "/skipped_in_a_row", "/loss_scale_good_steps"});
  ShortRun second(3);
  load_training_state(second.trainer, folder.path() / "c");
  EXPECT_EQ(second.trainer.optimizer().updates(), 3);
  EXPECT_EQ(second.trainer.steps_skipped(), 0);
}

TEST(Resume, RefusesAnotherTextOrTokenizerAndAcceptsAStateWithoutTheirHashes) {
  TrainingState state;
  state.config = {{"model", 1},
                  {"training", to_json(few_steps("run"))},
                  {"inputs", {{"text", "t.txt (xxh128 a)"}, {"tokenizer", "t.model (xxh128 b)"}}}};
  const Json saved = state.config;
  EXPECT_TRUE(changes_since(state, "c", saved).empty());
  for (const char* input : {"text", "tokenizer"}) {
    Json now = saved;
    now["inputs"][input] = "x (xxh128 c)";
    const std::string said = error_of([&] { changes_since(state, "c", now); });
    EXPECT_TRUE(has(said, std::string("another ") + input)) << said;
    EXPECT_TRUE(has(said, "now x (xxh128 c)")) << said;
  }
  state.config.erase("inputs");
  EXPECT_TRUE(changes_since(state, "c", saved).empty());
}

TEST(Resume, OtherTokensAtTheSamePathAreAnotherRun) {
  const TemporaryFolder folder;
  const TrainingConfig config = few_steps(folder.path());
  train(tiny_config(), config, synthetic(1), cpu(), {.max_steps = 2, .quiet = true});
  EXPECT_THROW(train(tiny_config(), config, synthetic(7), cpu(), {.resume = true, .quiet = true}), Error);
  EXPECT_NO_THROW(train(tiny_config(), config, synthetic(1), cpu(), {.max_steps = 3, .resume = true, .quiet = true}));
}

TEST(Resume, OverwriteReplacesARunWhoseStateIsDamaged) {
  const TemporaryFolder folder;
  const TrainingConfig config = few_steps(folder.path());
  folder.write("final/training_state.json", "{");
  EXPECT_THROW(train(tiny_config(), config, synthetic(), cpu(), {.max_steps = 1, .quiet = true}), Error);
  EXPECT_NO_THROW(train(tiny_config(), config, synthetic(), cpu(), {.max_steps = 1, .overwrite = true, .quiet = true}));
}

}  // namespace
}  // namespace bench::harness
