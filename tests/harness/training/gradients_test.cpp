// How an optimizer step is executed must not show in its gradient. Weights after a clipped step of AdamW would hardly
// tell: both divide by the gradient's own size, and hide a wrong scale. So the gradients themselves are compared.
#include "harness/checkpoints/checkpoints.h"
#include "harness/data/synthetic.h"
#include "harness/training/trainer.h"
#include "tests/harness/training/processor.h"
#include "tests/model/tiny.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

using model::largest;
using model::tiny_config;

constexpr std::int64_t kBatch = 8, kTokens = 16;

/// What a step hands to the optimizer, and what it says of itself.
struct Step {
  std::vector<torch::Tensor> gradients;  // of the loss, by every parameter, before clipping
  StepResult result;
};

/// Two steps of an effective batch of kBatch sequences. The learning rate is so small that the second begins with the
/// first one's weights.
std::vector<Step> two_steps(const Execution& execution, std::int64_t workers) {
  TrainingConfig config;
  config.train.batch_size = config.train.effective_batch_size = kBatch;
  config.train.gradient_accumulation_steps = 1;
  config.train.max_seq_length = kTokens;
  config.train.num_workers = workers;
  config.train.learning_rate = config.train.min_lr = 1e-12;
  const Batches batches(synthetic_tokens(96, 2000, 1), execution.micro_batch_size, kTokens, 1);
  Trainer trainer(new_model(tiny_config(), torch::kFloat32, cpu(), 1), config, execution, cpu(), batches);
  std::vector<Step> steps(2);
  for (auto& step : steps) {
    for (std::int64_t i = 0; i < trainer.micro_steps_per_step(); ++i) trainer.micro_step();
    for (const auto& p : trainer.model()->parameters())
      step.gradients.push_back(p.grad() / trainer.loss_scaler().scale());
    step.result = trainer.update();
  }
  return steps;
}

double norm_of(const std::vector<torch::Tensor>& gradients) {
  double squares = 0;
  for (const auto& g : gradients) squares += g.to(torch::kFloat64).pow(2).sum().item<double>();
  return std::sqrt(squares);
}

class Gradients : public testing::TestWithParam<std::tuple<torch::Dtype, bool>> {};
INSTANTIATE_TEST_SUITE_P(Ways, Gradients,
                         testing::Combine(testing::Values(torch::kFloat32, torch::kBFloat16, torch::kHalf),
                                          testing::Bool()),
                         [](const auto& way) {
                           return std::string(toString(std::get<0>(way.param))) +
                                  (std::get<1>(way.param) ? "Fused" : "Plain");
                         });

// fp32 adds up in another order: 1e-5 of the largest gradient. 16 bits may be off as far as the plain formulas are,
// half as far again, and a hundredth of the largest gradient, a few units of bf16's last place; a wrong scale is off by
// half.
TEST_P(Gradients, AreThoseOfOneFp32MicroBatchHoweverTheStepIsExecuted) {
  const auto [dtype, fused] = GetParam();
  const bool exactly = dtype == torch::kFloat32;
  const auto exact = two_steps({kBatch, false, torch::kFloat32, false}, 0);
  const auto plain = two_steps({kBatch, false, dtype, false}, 0);
  for (const std::int64_t micro : {1, 2, 4, 8})
    for (const bool recompute : {false, true}) {
      const auto steps = two_steps({micro, recompute, dtype, fused}, /*workers=*/micro % 4);
      for (std::size_t n = 0; n < steps.size(); ++n) {
        SCOPED_TRACE(fmt::format("micro-batches of {}, recomputing {}, step {}", micro, recompute, n));
        const StepResult &got = steps[n].result, &wanted = exact[n].result;
        for (std::size_t i = 0; i < exact[n].gradients.size(); ++i) {
          const torch::Tensor& gradient = exact[n].gradients[i];
          const double size = largest(gradient);
          const double tolerance =
              exactly ? 1e-5 * size : 1.5 * largest(plain[n].gradients[i] - gradient) + 0.01 * size;
          EXPECT_LE(largest(steps[n].gradients[i] - gradient), tolerance) << "parameter " << i;
        }
        EXPECT_FALSE(got.skipped);
        EXPECT_NEAR(got.loss, wanted.loss, (exactly ? 1e-6 : 1e-3) * wanted.loss);
        EXPECT_NEAR(got.grad_norm, wanted.grad_norm, (exactly ? 1e-5 : 1e-2) * wanted.grad_norm);
        EXPECT_NEAR(got.grad_norm, norm_of(steps[n].gradients), 1e-5 * wanted.grad_norm);
      }
    }
}

TEST(Execution, IsWhatTheConfigAsksFor) {
  TrainingConfig config;
  config.train.batch_size = 4;
  config.train.effective_batch_size = 8;
  config.train.mixed_precision = false;
  for (const bool on : {false, true}) {
    config.train.gradient_checkpointing = on;
    config.train.compile_model = !on;
    const Execution execution = execution_for(config, cpu(), 0, "");
    EXPECT_EQ(execution.gradient_checkpointing, on);
    EXPECT_EQ(execution.fused, !on);
    EXPECT_EQ(execution.compute, torch::kFloat32);
    EXPECT_EQ(execution.micro_batch_size, 4);
  }
  config.train.mixed_precision = true;
  EXPECT_EQ(execution_for(config, cpu(), 2, "").micro_batch_size, 2);
  for (const auto& [name, dtype] :
       {std::pair{"bf16", torch::kBFloat16}, {"fp16", torch::kHalf}, {"auto", fast_dtype(cpu())}}) {
    config.train.mixed_dtype = name;
    EXPECT_EQ(execution_for(config, cpu(), 0, "").compute, dtype) << name;
  }
}

}  // namespace
}  // namespace bench::harness
