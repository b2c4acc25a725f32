// What is predicted for training against what LibTorch allocates: exactly, and in bf16 on any processor.
#include "harness/checkpoints.h"
#include "harness/data/synthetic.h"
#include "harness/training/memory_estimate.h"
#include "harness/training/trainer.h"
#include "model/fused/products.h"
#include "tests/kept_threads.h"

#include <atomic>

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <gtest/gtest.h>

namespace bench::harness {
namespace {

/// Bytes that LibTorch holds at once, at most, of those it asks for in this thread and in autograd's for it.
class PeakCounter : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, std::int64_t size, std::size_t, std::size_t, c10::Device) override {
    const std::int64_t now = held_ += size;
    for (std::int64_t peak = peak_; now > peak && !peak_.compare_exchange_weak(peak, now);) {
    }
  }
  bool memoryProfilingEnabled() const override { return true; }
  double peak() const { return static_cast<double>(peak_); }

 private:
  std::atomic<std::int64_t> held_ = 0, peak_ = 0;
};

double allocated_by_training(const model::ModelConfig& model, const Execution& execution, std::int64_t seq_length) {
  const Device& device = find_device("cpu", "");
  TrainingConfig training;
  training.train.batch_size = training.train.effective_batch_size = execution.micro_batch_size;
  training.train.gradient_accumulation_steps = 1;
  training.train.max_seq_length = seq_length;
  training.train.num_workers = 0;
  const Batches batches(synthetic_tokens(model.vocab_size, execution.micro_batch_size * seq_length + 1, 0),
                        execution.micro_batch_size, seq_length, 0);
  const auto counter = std::make_shared<PeakCounter>();
  const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, counter);
  Trainer trainer(new_model(model, torch::kFloat32, device, 0), training, execution, device, batches);
  trainer.step();
  trainer.micro_step();
  return counter->peak();
}

model::ModelConfig config(std::int64_t vocabulary, std::int64_t intermediate, std::int64_t kv_heads, double dropout) {
  model::ModelConfig model;
  model.vocab_size = vocabulary;
  model.hidden_size = 128;
  model.intermediate_size = intermediate;
  model.num_layers = 3;
  model.num_heads = 8;
  model.num_kv_heads = kv_heads;
  model.max_seq_length = 128;
  model.dropout = dropout;
  return model;
}

class AllocatedMemory : public testing::TestWithParam<std::tuple<bool, bool>> {};
INSTANTIATE_TEST_SUITE_P(Executions, AllocatedMemory, testing::Combine(testing::Bool(), testing::Bool()),
                         [](const auto& test) {
                           return std::string(std::get<0>(test.param) ? "Bf16" : "Fp32") +
                                  (std::get<1>(test.param) ? "Recomputing" : "Keeping");
                         });

TEST_P(AllocatedMemory, IsAsPredicted) {
  const auto [bf16, recomputing] = GetParam();
  const model::AssumedBf16Products assumed(true);
  const KeptThreads kept;
  at::set_num_threads(1);  // of several it is chance how much they hold at once
  const Execution execution{2, recomputing, bf16 ? torch::kBFloat16 : torch::kFloat32};
  const std::string of_feed_forward = "in the backward pass of a feed-forward";
  const std::pair<model::ModelConfig, std::string> cases[]{
      {config(3000, 256, 2, 0.1), "at the loss"},
      {config(300, 512, 2, 0.1), of_feed_forward},
      {config(300, 512, 2, 0), of_feed_forward},
      {config(300, 128, 1, 0.1), "in the backward pass of an attention"}};
  for (const auto& [model, moment] : cases) {
    MemoryEstimate predicted = estimate_training_memory(model, execution, 128, &find_device("cpu", ""));
    predicted.program = 0;
    EXPECT_EQ(predicted.moment, moment);
    EXPECT_NEAR(allocated_by_training(model, execution, 128) / predicted.total(), 1, 0.006)
        << moment << ": " << predicted.text();
  }
}

}  // namespace
}  // namespace bench::harness
