// fp16 from a gradient that overflows to a loss that falls: nothing poisons the scaler's input here, the numbers are
// too large for fp16 by themselves.
#include "harness/cases/train.h"
#include "harness/checkpoints/checkpoints.h"
#include "harness/core/clock.h"
#include "harness/core/files.h"
#include "harness/data/synthetic.h"
#include "harness/training/train.h"
#include "tests/harness/cases/recorded.h"
#include "tests/harness/training/processor.h"
#include "tests/model/tiny.h"
#include "tests/temporary_folder.h"

#include <sstream>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

using model::tiny_config;
using tests::TemporaryFolder;

/// Steps of two tokens. The gradient of the head is then half the scale times normed activations, of which some are
/// above 2: beyond fp16's 65504 at the first scale, 65536.
TrainingConfig two_token_steps() {
  TrainingConfig config;
  config.data.train_path = config.data.valid_path = kSynthetic;
  config.train.batch_size = config.train.gradient_accumulation_steps = config.train.effective_batch_size = 1;
  config.train.max_seq_length = 2;
  config.train.mixed_dtype = "fp16";
  config.train.num_workers = 0;
  config.train.warmup_steps = 0;
  config.train.max_steps = 6;
  config.train.logging_steps = 1;
  return config;
}

TEST(Fp16, AGradientThatOverflowsIsSkippedUntilTheScaleFitsAndThenTheModelLearns) {
  constexpr double kScale = 1 << 26;  // at 128 tokens a step the loss's own gradient overflows above 2^23
  TrainingConfig config = two_token_steps();
  config.train.batch_size = config.train.effective_batch_size = 8;
  config.train.max_seq_length = 16;
  config.train.learning_rate = 5e-3;
  config.train.max_steps = 1000;  // of the schedule
  for (const bool fused : {true, false}) {
    const Batches batches(synthetic_tokens(96, 20'000, 1), 8, 16, 1);
    Trainer trainer(new_model(tiny_config(), torch::kFloat32, cpu(), 1), config, {8, false, torch::kHalf, fused}, cpu(),
                    batches);
    trainer.loss_scaler().restore(kScale, /*good_steps=*/0);
    std::vector<torch::Tensor> before;
    for (const auto& p : trainer.model()->parameters()) before.push_back(p.detach().clone());
    std::int64_t skipped = 0;
    while (trainer.step().skipped) {
      ++skipped;
      EXPECT_EQ(trainer.loss_scaler().scale(), kScale / std::exp2(skipped));
      for (std::size_t i = 0; i < before.size(); ++i)
        ASSERT_TRUE(torch::equal(before[i], trainer.model()->parameters()[i])) << i;
    }
    EXPECT_GE(skipped, 3);
    EXPECT_FALSE(torch::equal(before[0], trainer.model()->parameters()[0]));
    double loss = 0;
    for (int step = 0; step < 30; ++step) loss = trainer.step().loss;
    EXPECT_LT(loss, 4.3);  // from ln 96 = 4.56, as MixedPrecision.LearnsLikeFp32 does in fp32
    EXPECT_LE(trainer.steps_skipped(), skipped + 2);  // a gradient that grew may take a step more
    EXPECT_EQ(trainer.loss_scaler().scale(), kScale / std::exp2(trainer.steps_skipped()));
  }
}

TEST(Fp16, SkippedStepsAreInTheLog) {
  const TemporaryFolder folder;
  TrainingConfig config = two_token_steps();
  config.train.output_dir = folder.path().string();
  TrainingData data;
  data.train = synthetic_tokens(96, 100, 1);
  data.valid = synthetic_tokens(96, 100, 2);
  std::vector<std::int64_t> so_far;
  train(tiny_config(), config, data, cpu(),
        {.quiet = true, .on_step = [&](const StepResult& result, const auto&, double) {
           so_far.push_back((so_far.empty() ? 0 : so_far.back()) + result.skipped);
         }});
  ASSERT_EQ(so_far.size(), 6u);
  EXPECT_EQ(so_far[0], 1);
  EXPECT_LT(so_far[5], 6);
  std::istringstream lines(read_file(folder.path() / "metrics.jsonl"));
  std::string line;
  for (std::size_t step = 0; step < so_far.size(); ++step) {
    ASSERT_TRUE(std::getline(lines, line));
    EXPECT_EQ(Json::parse(line)["skipped_steps"].get<std::int64_t>(), so_far[step]) << line;
  }
}

Record run_case(bool keep_checkpoint, const std::filesystem::path& output) {
  TrainCaseConfig config;
  config.model.value = tiny_config();
  config.training.value = two_token_steps();
  config.training.value.train.output_dir = output.string();
  config.steps = config.training.value.train.max_steps;
  config.all_steps = true;
  config.keep_checkpoint = keep_checkpoint;
  Context context{"train", cpu(), 100, {}};
  context.measuring.end_s = now_s() + 100;
  context.measuring.block_s = 0;
  context.measuring.probe = false;
  return tests::recorded(run_train, config, context);
}

std::int64_t not_finite(const Record& record) {
  std::int64_t count = 0;
  for (const char* name : {"cold_grad_norm", "grad_norm"})
    if (const auto found = record.series.find(name); found != record.series.end())
      count += std::count_if(found->second.samples.begin(), found->second.samples.end(),
                             [](double norm) { return !std::isfinite(norm); });
  return count;
}

TEST(Fp16, SkippedStepsAreInTheCasesRecord) {
  for (const bool keep_checkpoint : {false, true}) {
    const TemporaryFolder folder;
    const Record record = run_case(keep_checkpoint, folder.path());
    const std::int64_t skipped = not_finite(record);
    EXPECT_GE(skipped, 1);
    ASSERT_TRUE(record.notes.contains("skipped_steps")) << keep_checkpoint;
    EXPECT_EQ(record.notes.at("skipped_steps"), std::to_string(skipped));
  }
}

}  // namespace
}  // namespace bench::harness
