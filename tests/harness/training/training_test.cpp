#include "harness/checkpoints/checkpoints.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/data/synthetic.h"
#include "harness/evaluation/perplexity.h"
#include "harness/training/schedule.h"
#include "harness/training/train.h"
#include "model/loss.h"
#include "tests/harness/training/processor.h"
#include "tests/model/golden.h"
#include "tests/model/tiny.h"
#include "tests/temporary_folder.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

using model::Golden;
using model::tiny_config;
using tests::TemporaryFolder;

TrainingConfig small_training(const std::filesystem::path& output) {
  TrainingConfig config;
  config.data.train_path = config.data.valid_path = kSynthetic;
  config.train.batch_size = 4;
  config.train.gradient_accumulation_steps = 2;
  config.train.effective_batch_size = 8;
  config.train.max_seq_length = 16;
  config.train.learning_rate = 5e-3;
  config.train.min_lr = 5e-4;
  config.train.warmup_steps = 2;
  config.train.max_steps = 12;
  config.train.save_steps = 4;
  config.train.logging_steps = 1;
  config.train.num_workers = 1;
  config.train.mixed_precision = false;
  config.train.output_dir = output.string();
  return config;
}

TrainingData small_data() {
  TrainingData data;
  data.train = synthetic_tokens(96, 20'000, 1);
  data.valid = synthetic_tokens(96, 1'000, 2);
  return data;
}

std::vector<torch::Tensor> weights(const std::filesystem::path& checkpoint) {
  return open_checkpoint(checkpoint, torch::kFloat32, torch::kCPU)->parameters();
}

void expect_equal(const std::vector<torch::Tensor>& a, const std::vector<torch::Tensor>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_LE(model::largest(a[i] - b[i]), tolerance) << i;
}

class GoldenTraining : public testing::TestWithParam<std::tuple<std::string, bool>> {};
INSTANTIATE_TEST_SUITE_P(Variants, GoldenTraining,
                         testing::Combine(testing::Values(std::string("tied_fp32"), std::string("untied_bf16")),
                                          testing::Bool()));

// Ten steps of AdamW as Transformers and torch.optim.AdamW make them; tests/golden/README.md has the tolerances.
TEST_P(GoldenTraining, TenAdamWSteps) {
  const Golden golden(std::get<0>(GetParam()));
  model::LanguageModel model = golden.load();
  for (auto& p : model->parameters()) p.set_data(p.detach().clone());  // not the file's pages
  const torch::Tensor ids = golden.tensors.at("input_ids");
  OptimizerConfig config;
  AdamW optimizer(*model, config, 0.1, /*fused=*/std::get<1>(GetParam()));
  const auto& expected = golden.json["train"];
  for (std::size_t step = 0; step < 10; ++step) {
    model->zero_grad();
    const torch::Tensor loss = model::mean_nll(model(ids), model::next_token_targets(ids));
    loss.backward();
    EXPECT_NEAR(loss.item<double>(), expected["loss"][step].get<double>(), 1e-4) << step;
    const Clipping clipping = clip_factor(gradient_norm(*model).item<double>(), 1.0);
    EXPECT_NEAR(clipping.norm, expected["grad_norm"][step].get<double>(), 1e-4) << step;
    optimizer.step(1e-3, clipping.factor);
  }
  for (const auto& p : model->named_parameters())
    EXPECT_LE(golden.difference("param10." + p.key(), p.value().detach()), 1e-4) << p.key();
}

TEST(AdamW, FusedEqualsPlain) {
  std::vector<std::vector<torch::Tensor>> trained;
  for (const bool fused : {false, true}) {
    model::LanguageModel model = model::tiny_model();
    OptimizerConfig config;
    AdamW optimizer(*model, config, 0.1, fused);
    for (int step = 0; step < 5; ++step) {
      model->zero_grad();
      const torch::Tensor ids = model::tiny_ids(2, 12, static_cast<std::uint64_t>(step));
      model::mean_nll(model(ids), model::next_token_targets(ids)).backward();
      optimizer.step(1e-2);
    }
    trained.push_back(model->parameters());
  }
  expect_equal(trained[0], trained[1], 1e-5);
}

TEST(LossScaler, HalvesOnOverflowAndGrowsAgainAfterManyGoodSteps) {
  LossScaler fp16(true), other(false);
  EXPECT_EQ(fp16.scale(), 65536);
  fp16.update(false);
  EXPECT_EQ(fp16.scale(), 32768);
  for (int i = 0; i < 1999; ++i) fp16.update(true);
  EXPECT_EQ(fp16.scale(), 32768);
  fp16.update(true);
  EXPECT_EQ(fp16.scale(), 65536);
  other.update(false);
  EXPECT_EQ(other.scale(), 1);
}

/// A trainer of the tiny model on the small data, in `dtype`.
struct SmallTrainer {
  explicit SmallTrainer(const std::filesystem::path& folder, torch::Dtype dtype = torch::kFloat32, bool fused = true)
      : config(small_training(folder)),
        execution{8, false, dtype, fused},
        batches(data.train, 8, config.train.max_seq_length, 1),
        trainer(new_model(tiny_config(), torch::kFloat32, cpu(), 1), config, execution, cpu(), batches) {}
  TrainingData data = small_data();
  TrainingConfig config;
  Execution execution;
  Batches batches;
  Trainer trainer;
};

TEST(Trainer, AStepThatIsNotFiniteIsSkippedAndCountedAndTenInARowAreAnError) {
  const TemporaryFolder folder;
  SmallTrainer small(folder.path());
  Trainer& trainer = small.trainer;
  EXPECT_FALSE(trainer.step().skipped);
  std::vector<torch::Tensor> before;
  for (const auto& p : trainer.model()->parameters()) before.push_back(p.detach().clone());
  const auto poisoned_step = [&] {
    for (std::int64_t i = 0; i < trainer.micro_steps_per_step(); ++i) trainer.micro_step();
    trainer.model()->parameters()[0].mutable_grad().view({-1})[0] = NAN;
    return trainer.update();
  };
  EXPECT_TRUE(poisoned_step().skipped);
  EXPECT_EQ(trainer.steps_skipped(), 1);
  EXPECT_EQ(trainer.steps_done(), 2);
  for (std::size_t i = 0; i < before.size(); ++i)
    EXPECT_TRUE(torch::equal(before[i], trainer.model()->parameters()[i])) << i;
  EXPECT_FALSE(trainer.step().skipped);  // the poison is gone with the gradients
  try {
    for (int i = 0; i < 10; ++i) poisoned_step();
    ADD_FAILURE() << "no error";
  } catch (const Error& e) {
    EXPECT_NE(e.hint().find("the weights are still finite"), std::string::npos) << e.what();
  }
}

/// bf16, and fp16 with its loss scaler, by the fused operators and by the plain ones.
class MixedPrecision : public testing::TestWithParam<std::tuple<torch::Dtype, bool>> {};
INSTANTIATE_TEST_SUITE_P(Ways, MixedPrecision,
                         testing::Combine(testing::Values(torch::kBFloat16, torch::kHalf), testing::Bool()));

TEST_P(MixedPrecision, LearnsLikeFp32) {
  const TemporaryFolder folder;
  SmallTrainer fp32(folder.path()), mixed(folder.path(), std::get<0>(GetParam()), std::get<1>(GetParam()));
  for (int step = 0; step < 30; ++step) {
    const StepResult exact = fp32.trainer.step(), rounded = mixed.trainer.step();
    EXPECT_FALSE(rounded.skipped);
    EXPECT_NEAR(rounded.loss, exact.loss, 0.002 * exact.loss) << step;
    EXPECT_NEAR(rounded.grad_norm, exact.grad_norm, 0.1 * exact.grad_norm) << step;
    if (step == 29) {
      EXPECT_LT(exact.loss, 4.3);  // from ln 96 = 4.56
    }
  }
  EXPECT_EQ(mixed.trainer.loss_scaler().scale(), std::get<0>(GetParam()) == torch::kHalf ? 65536 : 1);
}

// A copy of a weight in 16 bits that an update doesn't reach trains the embedding and norms only, and looks like
// learning.
TEST_P(MixedPrecision, ProductsSeeEachUpdate) {
  const TemporaryFolder folder;
  const torch::Dtype dtype = std::get<0>(GetParam());
  SmallTrainer small(folder.path(), dtype, std::get<1>(GetParam()));
  const torch::Tensor ids = model::tiny_ids(2, 12);
  for (int step = 0; step < 3; ++step) {
    small.trainer.step();
    const torch::NoGradGuard no_grad;
    model::LanguageModel trained = small.trainer.model(), same(tiny_config(), torch::TensorOptions());
    for (std::size_t i = 0; i < trained->parameters().size(); ++i)
      same->parameters()[i].copy_(trained->parameters()[i]);
    same->set_compute_dtype(dtype);
    same->set_all_fused(std::get<1>(GetParam()));
    same->set_tiled_gradient(!cpu().fused_attention_gradient);
    EXPECT_TRUE(torch::equal(trained(ids), same(ids))) << step;
  }
}

TEST(Schedule, WarmsUpLinearlyThenFallsAsACosine) {
  TrainConfig config;
  config.learning_rate = 1, config.min_lr = 0.1, config.warmup_steps = 10, config.max_steps = 110;
  EXPECT_DOUBLE_EQ(learning_rate(config, 0), 0.1);
  EXPECT_DOUBLE_EQ(learning_rate(config, 4), 0.5);
  EXPECT_DOUBLE_EQ(learning_rate(config, 9), 1.0);
  EXPECT_NEAR(learning_rate(config, 59), 0.55, 1e-12);  // half-way down
  EXPECT_NEAR(learning_rate(config, 109), 0.1, 1e-12);
  EXPECT_NEAR(learning_rate(config, 500), 0.1, 1e-12);
  config.lr_scheduler = "constant";
  EXPECT_DOUBLE_EQ(learning_rate(config, 109), 1.0);
}

TEST(Train, NothingOfTheExecutionChangesTheOptimisation) {
  const TemporaryFolder folder;
  const TrainingData data = small_data();
  std::vector<torch::Tensor> reference;
  using Choice = std::tuple<std::int64_t, bool, std::int64_t, bool>;
  for (const auto& [micro, recompute, workers, compile] : {Choice{8, false, 0, true},
                                                           {4, false, 1, true},
                                                           {1, false, 3, true},
                                                           {2, true, 1, true},
                                                           {8, false, 1, false}}) {
    TrainingConfig config = small_training(folder.path() / "run");
    config.train.compile_model = compile;
    config.train.gradient_checkpointing = recompute;
    config.train.num_workers = workers;
    const auto summary =
        train(tiny_config(), config, data, cpu(),
              {.max_steps = 3, .execution = execution_for(config, cpu(), micro, ""), .overwrite = true, .quiet = true});
    if (reference.empty()) {
      for (const auto& w : weights(summary.checkpoint)) reference.push_back(w.clone());
      continue;
    }
    expect_equal(reference, weights(summary.checkpoint), 2e-5);
  }
}

TEST(Train, SameSeedSameBits) {
  const TemporaryFolder folder;
  const TrainingData data = small_data();
  model::ModelConfig model = tiny_config();
  model.dropout = 0.1;
  for (const char* name : {"a", "b"})
    train(model, small_training(folder.path() / name), data, cpu(), {.max_steps = 4, .quiet = true});
  EXPECT_EQ(read_file(folder.path() / "a/final/model.safetensors"),
            read_file(folder.path() / "b/final/model.safetensors"));
}

TEST(Train, ResumedEqualsUninterruptedToTheBitWithDropout) {
  const TemporaryFolder folder;
  const TrainingData data = small_data();
  model::ModelConfig model = tiny_config();
  model.dropout = 0.1;
  train(model, small_training(folder.path() / "whole"), data, cpu(), {.quiet = true});
  train(model, small_training(folder.path() / "parts"), data, cpu(), {.max_steps = 5, .quiet = true});
  const auto summary =
      train(model, small_training(folder.path() / "parts"), data, cpu(), {.resume = true, .quiet = true});
  EXPECT_EQ(summary.steps, 12);
  EXPECT_EQ(read_file(folder.path() / "whole/final/model.safetensors"),
            read_file(folder.path() / "parts/final/model.safetensors"));
}

TEST(Train, RunsAreNotOverwrittenUnasked) {
  const TemporaryFolder folder;
  const TrainingData data = small_data();
  const TrainingConfig config = small_training(folder.path());
  EXPECT_THROW(train(tiny_config(), config, data, cpu(), {.resume = true, .quiet = true}), Error);  // nothing to resume
  train(tiny_config(), config, data, cpu(), {.max_steps = 2, .quiet = true});
  EXPECT_THROW(train(tiny_config(), config, data, cpu(), {.max_steps = 2, .quiet = true}), Error);
}

TEST(Train, WritesCheckpointsLogsAndWandbSettings) {
  const TemporaryFolder folder;
  TrainingConfig config = small_training(folder.path());
  config.wandb = {true, "p", "n", {"t"}};
  train(tiny_config(), config, small_data(), cpu(), {.max_steps = 5, .quiet = true});
  for (const char* file : {"step-000004/training_state.safetensors", "final/config.json", "final/checksums.xxh128",
                           "metrics.jsonl", "wandb.json"})
    EXPECT_TRUE(std::filesystem::exists(folder.path() / file)) << file;
  std::istringstream lines(read_file(folder.path() / "metrics.jsonl"));
  std::int64_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_TRUE(Json::parse(line).contains("step"));
  EXPECT_EQ(count, 5 + 1);  // five steps and the last validation
}

TEST(Checkpoints, AnyFlippedByteIsFound) {
  const TemporaryFolder folder;
  train(tiny_config(), small_training(folder.path()), small_data(), cpu(), {.max_steps = 1, .quiet = true});
  const auto checkpoint = folder.path() / "final";
  EXPECT_NO_THROW(verify_checkpoint(checkpoint));
  for (const char* name :
       {"model.safetensors", "config.json", "training_state.safetensors", "training_state.json", "checksums.xxh128"}) {
    const std::string good = read_file(checkpoint / name);
    std::vector<std::size_t> places{0, good.size() / 2, good.size() - 5};
    if (good.size() < 1024)  // the small ones at each byte: which stands in the middle differs between machines
      for (std::size_t at = 0; at < good.size(); ++at) places.push_back(at);
    for (const std::size_t at : places) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 1);
      write_file_atomically(checkpoint / name, bad);
      EXPECT_THROW(verify_checkpoint(checkpoint), Error) << name << " " << at;
    }
    write_file_atomically(checkpoint / name, good);
  }
  std::filesystem::remove(checkpoint / "model.safetensors");
  EXPECT_THROW(verify_checkpoint(checkpoint), Error);
}

// The best possible perplexity of the synthetic language is known: a model that has learnt it gets there and no
// further.
TEST(SlowTrain, ReachesTheEntropyOfTheSyntheticLanguage) {
  const TemporaryFolder folder;
  TrainingConfig config = small_training(folder.path());
  config.train.batch_size = config.train.effective_batch_size = 32;
  config.train.gradient_accumulation_steps = 1;
  config.train.max_seq_length = 32;
  config.train.learning_rate = 1e-2;
  config.train.max_steps = 250;
  config.train.save_steps = 1000;
  TrainingData data = small_data();
  data.train = synthetic_tokens(96, 300'000, 1);
  data.valid = synthetic_tokens(96, 8'000, 2);
  const auto summary = train(tiny_config(), config, data, cpu(), {.quiet = true});
  const double best = std::exp(data.valid.optimum_nll / static_cast<double>(data.valid.size() - 1));
  EXPECT_GT(summary.valid_perplexity, 0.98 * best);
  EXPECT_LT(summary.valid_perplexity, 1.10 * best);
}

}  // namespace
}  // namespace bench::harness
