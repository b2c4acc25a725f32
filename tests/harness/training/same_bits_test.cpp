// Same seed, same machine, same threads: same bits, in sizes at which threads do share the work. A kernel of fewer than
// 65536 elements stays on one thread (model/fused/rows.h), and one thread always adds up in the same order.
#include "harness/core/files.h"
#include "harness/data/synthetic.h"
#include "harness/training/train.h"
#include "tests/harness/training/processor.h"
#include "tests/kept_threads.h"
#include "tests/temporary_folder.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

using tests::TemporaryFolder;

/// All of its matrices of activations have more than 65536 elements at kTokens tokens.
constexpr std::int64_t kTokens = 320, kVocabulary = 512;

model::ModelConfig wide_model() {
  model::ModelConfig model;
  model.vocab_size = kVocabulary;
  model.hidden_size = model.intermediate_size = 256;
  model.num_layers = 1;
  model.num_heads = 4;
  model.num_kv_heads = 2;
  model.max_seq_length = kTokens;
  model.dropout = 0.1;
  return model;
}

/// A short run: the losses on the way, and the bytes of its last checkpoint.
struct Course {
  std::vector<double> losses;
  std::string weights, state;
};

Course short_run(torch::Dtype compute, const TrainingData& data) {
  const TemporaryFolder folder;
  TrainingConfig config;
  config.train.batch_size = config.train.effective_batch_size = 1;
  config.train.gradient_accumulation_steps = 1;
  config.train.max_seq_length = kTokens;
  config.train.max_steps = 3;
  config.train.warmup_steps = 0;
  config.train.num_workers = 1;
  config.train.output_dir = folder.path().string();
  Course course;
  train(wide_model(), config, data, cpu(),
        {.execution = Execution{1, false, compute, true},
         .overwrite = true,
         .quiet = true,
         .on_step = [&](const auto& result, const auto&, double) { course.losses.push_back(result.loss); }});
  course.weights = read_file(folder.path() / "final/model.safetensors");
  course.state = read_file(folder.path() / "final/training_state.safetensors");
  return course;
}

class SameBits : public testing::TestWithParam<torch::Dtype> {
  KeptThreads threads_;
};
INSTANTIATE_TEST_SUITE_P(Dtypes, SameBits, testing::Values(torch::kFloat32, torch::kBFloat16),
                         [](const auto& dtype) { return std::string(toString(dtype.param)); });

TEST_P(SameBits, OfLossesWeightsAndOptimizerWhereTwoThreadsShareTheWork) {
  at::set_num_threads(2);
  TrainingData data;
  data.train = synthetic_tokens(kVocabulary, 4 * kTokens, 1);
  data.valid = synthetic_tokens(kVocabulary, kTokens + 1, 2);
  const Course first = short_run(GetParam(), data);
  ASSERT_EQ(first.losses.size(), 3u);
  EXPECT_LT(first.losses[2], first.losses[0]);
  for (int again = 0; again < 2; ++again) {
    const Course second = short_run(GetParam(), data);
    EXPECT_EQ(first.losses, second.losses);
    EXPECT_TRUE(first.weights == second.weights);
    EXPECT_TRUE(first.state == second.state);
  }
}

}  // namespace
}  // namespace bench::harness
