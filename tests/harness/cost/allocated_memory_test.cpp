// What is predicted for training against what LibTorch allocates: exactly, and in bf16 on any processor.
#include "harness/cases/memory.h"
#include "model/fused/products.h"
#include "tests/harness/cases/recorded.h"
#include "tests/kept_threads.h"

#include <ATen/Context.h>
#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>
#include <gtest/gtest.h>

namespace bench::harness {
namespace {

/// Bytes that LibTorch holds at once, at most, of those that this thread asks for.
class PeakCounter : public c10::MemoryReportingInfoBase {
 public:
  void reportMemoryUsage(void*, std::int64_t size, std::size_t, std::size_t, c10::Device) override {
    held_ += size;
    peak_ = std::max(peak_, held_);
  }
  bool memoryProfilingEnabled() const override { return true; }
  double peak() const { return static_cast<double>(peak_); }

 private:
  std::int64_t held_ = 0, peak_ = 0;
};

/// While one lives, products go without oneDNN. Its bf16 products ask LibTorch's allocator for room of their own, and
/// how much depends on the instruction set: 1 to 12 % of the few MB that these tests hold.
struct WithoutOneDnn {
  WithoutOneDnn() { at::globalContext().setUserEnabledMkldnn(false); }
  WithoutOneDnn(const WithoutOneDnn&) = delete;
  ~WithoutOneDnn() { at::globalContext().setUserEnabledMkldnn(before); }
  const bool before = at::globalContext().userEnabledMkldnn();
};

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
  const WithoutOneDnn without_one_dnn;
  const KeptThreads kept;
  at::set_num_threads(1);  // of several it is chance how much they hold at once
  MemoryConfig training;
  training.mode = "train";
  training.batch = 2;
  training.seq_lengths = {128};
  training.gradient_checkpointing = recomputing;
  training.source.dtype = bf16 ? "bf16" : "fp32";
  const std::string of_feed_forward = "in the backward pass of a feed-forward";
  const std::pair<model::ModelConfig, std::string> cases[]{
      {config(3000, 256, 2, 0.1), "at the loss"},
      {config(300, 512, 2, 0.1), of_feed_forward},
      {config(300, 512, 2, 0), of_feed_forward},
      {config(300, 128, 1, 0.1), "in the backward pass of an attention"}};
  for (const auto& [model, moment] : cases) {
    training.source.model = FileOr<model::ModelConfig>{model, "", true};
    Context context{"memory", find_device("cpu", ""), 120, {}};
    const auto counter = std::make_shared<PeakCounter>();
    const c10::DebugInfoGuard guard(c10::DebugInfoKind::PROFILER_STATE, counter);
    const Record record = tests::recorded(run_memory, training, context);
    ASSERT_EQ(record.status, Record::Status::kOk) << record.reason;
    EXPECT_EQ(record.notes.at("predicted_peak"), moment);
    const double predicted =
        record.samples("predicted_memory_bytes").at(0) - record.samples("predicted_program_bytes").at(0);
    EXPECT_NEAR(counter->peak() / predicted, 1, 0.006) << moment;
  }
}

}  // namespace
}  // namespace bench::harness
