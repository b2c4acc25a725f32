#include "harness/measuring/device_operators.h"

#include "harness/core/error.h"
#include "harness/data/tokens.h"
#include "harness/devices/device.h"
#include "harness/measuring/measure.h"
#include "harness/measuring/operator_table.h"
#include "harness/planning/plan.h"
#include "harness/training/trainer.h"
#include "model/generate.h"
#include "model/loss.h"
#include "model/path.h"
#include "tests/harness/measuring/meta_kernels.h"
#include "tests/model/tiny.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/record_function.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace bench::harness {
namespace {

using Counts = std::map<std::string, std::int64_t>;

DeviceWork on_mps(const std::function<void()>& work) { return record_device_work(work, c10::kMPS); }

TEST(OperatorTable, IsSortedAndHasAllOfLibTorch) {
  EXPECT_TRUE(std::ranges::is_sorted(operator_rows(), {}, &OperatorRow::name));
  std::vector<std::string> missing;
  for (const c10::OperatorName& name : c10::Dispatcher::singleton().getAllOpNames()) {
    const std::string full = name.overload_name.empty() ? name.name : name.name + "." + name.overload_name;
    const bool by_hand = full.starts_with("aten::quantized_") || full == "aten::get_gradients";  // not by torchgen
    if (full.starts_with("aten::") && !by_hand && !operator_kind(full.substr(6), "mps").known) missing.push_back(full);
  }
  EXPECT_EQ(missing, std::vector<std::string>{});
}

TEST(OperatorTable, KnowsKernelsOfTheOperatorItself) {
  EXPECT_TRUE(operator_kind("mm", "mps").kernel);
  EXPECT_TRUE(operator_kind("add_.Tensor", "cuda").kernel);  // add.out's, which is made of a formula
  EXPECT_TRUE(operator_kind("linear", "mps").kernel);
  EXPECT_FALSE(operator_kind("linear", "cuda").kernel);
  EXPECT_TRUE(operator_kind("linear", "cuda").implicitly);
  EXPECT_TRUE(operator_kind("embedding", "mps").explicitly);
  EXPECT_FALSE(operator_kind("geqrf", "mps").kernel);
  EXPECT_TRUE(operator_kind("geqrf", "cuda").kernel);
  EXPECT_FALSE(operator_kind("no_such_operator", "cuda").known);
}

TEST(OperatorTable, AnUnknownBackendIsAnError) { EXPECT_THROW(operator_kind("mm", "abacus"), Error); }

TEST(DeviceWork, AKernelCountsOnceAndNotWhatItCalls) {
  const torch::Tensor x = torch::ones({4, 8}), w = torch::ones({16, 8});
  const auto work = [&] { at::linear(x, w); };
  EXPECT_EQ(on_mps(work).launches_by_operator, (Counts{{"aten::linear", 1}}));
  EXPECT_EQ(record_device_work(work, c10::kCUDA).launches_by_operator, (Counts{{"aten::mm", 1}}));
}

TEST(DeviceWork, ACompositeCostsWhatItCalls) {
  const torch::Tensor x = torch::ones({4, 8});
  EXPECT_EQ(on_mps([&] { torch::full({3}, 2.0); }).launches_by_operator, (Counts{{"aten::fill_.Scalar", 1}}));
  EXPECT_EQ(on_mps([&] { at::cross_entropy_loss(x, torch::arange(4)); }).launches,
            3);  // arange, softmax, choosing
  EXPECT_EQ(on_mps([&] { torch::empty({4, 8}).copy_(x); }).launches_by_operator, (Counts{{"aten::copy_", 1}}));
  EXPECT_EQ(on_mps([&] { x.to(torch::kHalf); }).launches_by_operator, (Counts{{"aten::copy_", 1}}));
}

TEST(DeviceWork, ViewsAndAllocationsAreFree) {
  const torch::Tensor x = torch::ones({4, 8});
  const auto views = [&] {
    x.t().view({2, 4, 4}).transpose(0, 1).unsqueeze(0).expand({3, 4, 2, 4}).select(0, 1).detach();
    x.reshape({-1}).narrow(0, 1, 3).chunk(3);
    torch::empty_like(x).resize_({2, 2});
    x.contiguous().to(torch::kFloat32);
  };
  EXPECT_EQ(on_mps(views).launches, 0);
  EXPECT_EQ(on_mps([&] { x.t().reshape({-1}); }).launches_by_operator,
            (Counts{{"aten::copy_", 1}}));  // this one copies
}

TEST(DeviceWork, TheBackwardPassCounts) {
  const torch::Tensor x = torch::ones({4, 8}), w = torch::ones({8, 16}).requires_grad_();
  const DeviceWork work = on_mps([&] { torch::mm(x, w).sum().backward(); });
  EXPECT_EQ(work.launches_by_operator.at("aten::mm"), 2);  // and the gradient of w
}

TEST(DeviceWork, AKernelOfOursCountsOnce) {
  const torch::Tensor x = torch::ones({4});
  const auto work = [&] {
    RECORD_FUNCTION("bench::swiglu", std::vector<c10::IValue>{x});
    torch::silu(x) * x;
  };
  EXPECT_EQ(on_mps(work).launches_by_operator, (Counts{{"bench::swiglu", 1}}));
  EXPECT_TRUE(on_mps(work).without_kernel.empty());
}

TEST(DeviceWork, OtherThreadsDoNotCount) {
  const torch::Tensor x = torch::ones({4});
  EXPECT_EQ(on_mps([&] { std::thread([&] { x + x; }).join(); }).launches, 0);
}

TEST(DeviceWork, CountsHowOftenTheHostWaits) {
  const torch::Tensor x = torch::ones({4});
  const DeviceWork work = on_mps([&] {
    x[1].item<float>();
    torch::nonzero(x);
  });
  EXPECT_EQ(work.reads, 2);
  EXPECT_EQ(work.launches_by_operator, (Counts{{"aten::nonzero", 1}}));
}

TEST(DeviceWork, OnAnotherDeviceTheHostsWorkIsNotCounted) {
  const tests::MetaKernels kernels;
  const torch::Tensor host = torch::ones({4}), there = torch::ones({4}, torch::kMeta);
  const auto on_meta = [](const std::function<void()>& work) {
    return record_device_work(work, c10::kMPS, c10::kMeta);
  };
  EXPECT_EQ(on_meta([&] { host + host.to(torch::kFloat64); }).launches, 0);
  EXPECT_EQ(on_meta([&] { torch::zeros({4}); }).launches, 0);
  EXPECT_EQ(on_meta([&] { torch::zeros({4}, torch::kMeta); }).launches, 1);
  EXPECT_EQ(on_meta([&] { torch::stack({there, there}); }).launches, 1);
  const DeviceWork to = on_meta([&] { host.to(torch::kMeta); });
  EXPECT_EQ(to.launches, 1);
  EXPECT_EQ(to.reads, 0);
  EXPECT_EQ(on_meta([&] { there.cpu(); }).reads, 1);
  EXPECT_EQ(on_meta([&] { there.sum().item<float>(); }).reads, 1);
}

TEST(DeviceWork, ADeviceThatTheTableDoesNotKnowIsAnError) {
  EXPECT_THROW(record_device_work([] {}, c10::DeviceType::XLA), Error);
  EXPECT_EQ(on_mps([] { torch::ones({1}); }).launches, 1);  // what failed has left nothing behind
}

TEST(CountLaunches, IsForThePortablePathAndDevicesThatQueueWork) {
  const torch::Tensor x = torch::ones({4});
  const auto work = [&] { x.sum().item<float>(); };
  Device device = find_device("cpu", "test");
  Record record;
  count_launches(device, work, record);
  EXPECT_TRUE(record.facts.empty());
  const model::AssumedPath portable(model::Path::kPortable);
  count_launches(device, work, record);
  EXPECT_EQ(record.facts.at("device_launches"), 1);
  EXPECT_EQ(record.facts.at("device_reads"), 1);
}

// What the device path must not do on MPS and CUDA.

constexpr std::int64_t kTooLarge = std::int64_t{1} << 32;  // bytes: pytorch/pytorch#149325 and #197636

std::vector<std::string> faults_of(const DeviceWork& work, std::int64_t reads) {
  std::vector<std::string> faults;
  if (work.launches == 0) faults.emplace_back("nothing was counted");
  for (const auto& name : work.without_kernel) faults.push_back(name + " has no kernel");
  for (const auto& name : work.with_float64) faults.push_back(name + " has float64");
  if (work.largest_bytes >= kTooLarge)
    faults.push_back(fmt::format("{} has {} bytes", work.largest_operator, work.largest_bytes));
  if (work.reads > reads) faults.push_back(fmt::format("{} reads", work.reads));
  return faults;
}

using Faults = std::vector<std::string>;

TEST(DeviceDemands, PlantedFaultsAreFound) {
  const torch::Tensor x = torch::ones({4, 4});
  EXPECT_EQ(faults_of(on_mps([&] { torch::geqrf(x); }), 0), Faults{"aten::geqrf has no kernel"});
  EXPECT_EQ(faults_of(on_mps([&] { torch::sin(x.detach().to(torch::kFloat64)); }), 0),
            (Faults{"aten::_to_copy has float64", "aten::copy_ has float64", "aten::empty_strided has float64",
                    "aten::sin has float64", "aten::to.dtype has float64"}));
  const DeviceWork number = on_mps([&] { x * 3.5; });  // a number of the host
  EXPECT_EQ(faults_of(number, 0), Faults{});
  const auto make_huge = [] { torch::empty({1 << 15, 1 << 15}, torch::kMeta).neg(); };
  EXPECT_EQ(faults_of(record_device_work(make_huge, c10::kMPS, c10::kMeta), 0),
            Faults{"aten::empty.memory_format has 4294967296 bytes"});
  const auto read_twice = [&] { x.sum().item<float>(), x.sum().item<float>(); };
  EXPECT_EQ(faults_of(on_mps(read_twice), 1), Faults{"2 reads"});
  EXPECT_EQ(faults_of(on_mps([] {}), 0), Faults{"nothing was counted"});
}

/// A device that isn't there: the work of `on`, done on the tensors of `type`.
Device imagined(c10::DeviceType type, c10::DeviceType on) {
  Device device = find_device("cpu", "test");
  device.type = type;
  device.fused_attention_gradient = device_named(on == c10::kMPS ? "mps" : "cuda")->fused_attention_gradient;
  device.has_kernels = false;
  return device;
}

/// A model without numbers in its weights.
model::LanguageModel empty_model(const model::ModelConfig& config, torch::Dtype dtype, c10::DeviceType lies_on) {
  model::LanguageModel made(config, torch::dtype(dtype).device(lies_on));
  for (auto& buffer : made->buffers()) buffer.set_data(buffer.to(lies_on));  // as new_model does
  return made;
}

struct StepShape {
  std::int64_t micro_batch = 1, micro_steps = 1, tokens = 0;
  bool checkpointing = false;
  torch::Dtype compute = torch::kHalf;
};

/// Records the second of two whole optimizer steps: micro-batches and update.
DeviceWork record_step(model::ModelConfig config, const StepShape& shape, c10::DeviceType lies_on,
                       c10::DeviceType as_on) {
  config.dropout = 0.1;
  const Device device = imagined(lies_on, as_on);
  TrainingConfig training;
  training.train.effective_batch_size = shape.micro_batch * shape.micro_steps;
  training.train.max_seq_length = shape.tokens;
  training.train.num_workers = 1;  // a thread of its own: making batches is no work of the device
  training.train.pin_memory = false;
  const Execution execution{shape.micro_batch, shape.checkpointing, shape.compute, /*fused=*/true};
  const Batches batches(
      synthetic_tokens(config.vocab_size, 2 * (shape.micro_batch * shape.micro_steps) * (shape.tokens + 1), 1),
      shape.micro_batch, shape.tokens, 1);
  model::LanguageModel made = empty_model(config, torch::kFloat32, lies_on);
  if (lies_on == c10::kCPU) model::init_weights(made, 1);
  Trainer trainer(made, training, execution, device, batches);
  trainer.step();
  return record_device_work([&] { EXPECT_FALSE(trainer.step().skipped); }, as_on, lies_on);
}

class TrainingOnDevicePath : public testing::TestWithParam<c10::DeviceType> {
 protected:
  /// Where the work would be done.
  c10::DeviceType as_on() const { return GetParam(); }
};
INSTANTIATE_TEST_SUITE_P(Devices, TrainingOnDevicePath, testing::Values(c10::kMPS, c10::kCUDA),
                         [](const auto& one) { return c10::DeviceTypeName(one.param); });

TEST_P(TrainingOnDevicePath, ATinyModelDoesWhatTheDeviceCan) {
  const model::AssumedPath portable(model::Path::kPortable);
  for (const bool checkpointing : {false, true})
    for (const torch::Dtype compute : {torch::kHalf, torch::kBFloat16, torch::kFloat32})
      EXPECT_EQ(faults_of(record_step(model::tiny_config(), {2, 2, 48, checkpointing, compute}, c10::kCPU, as_on()), 1),
                Faults{})
          << checkpointing << " " << compute;
}

class InferenceOnDevicePath : public testing::TestWithParam<std::tuple<c10::DeviceType, torch::Dtype, bool>> {};
INSTANTIATE_TEST_SUITE_P(Forms, InferenceOnDevicePath,
                         testing::Combine(testing::Values(c10::kMPS, c10::kCUDA),
                                          testing::Values(torch::kHalf, torch::kBFloat16, torch::kFloat32),
                                          testing::Bool()));

TEST_P(InferenceOnDevicePath, ATinyModelDoesWhatTheDeviceCan) {
  const auto [as_on, dtype, int8] = GetParam();
  const torch::NoGradGuard no_grad;
  const model::AssumedPath portable(model::Path::kPortable);
  model::LanguageModel model = model::tiny_model(model::tiny_config(), dtype);
  if (int8) model->quantize(model::Quantization::kInt8);
  model->eval();
  model->set_tiled_gradient(!imagined(c10::kCPU, as_on).fused_attention_gradient);
  model::KvCache cache = model->make_cache(2, 32);
  const torch::Tensor ids = model::tiny_ids(2, 9);
  const std::function<void()> works[] = {
      [&] { model->next_logits(ids, cache); },
      [&] { model->next_logits(torch::ones({2, 1}, torch::kInt64), cache).argmax(-1, true); },
      [&] { model->next_logits(ids, cache); },  // behind others
      [&] { model::mean_nll(model(ids), model::next_token_targets(ids)); },
  };
  for (const auto& work : works) EXPECT_EQ(faults_of(record_device_work(work, as_on), 0), Faults{});
}

/// The plan's models, where nothing is computed.
class PlanOnDevicePath : public testing::TestWithParam<std::tuple<c10::DeviceType, std::string>> {
 protected:
  c10::DeviceType as_on() const { return std::get<0>(GetParam()); }
  std::string name() const { return std::get<1>(GetParam()); }
  model::ModelConfig config() const {
    return name() == "medium" ? model::ModelConfig::medium() : model::ModelConfig::large();
  }
  const tests::MetaKernels kernels_;
};
INSTANTIATE_TEST_SUITE_P(Models, PlanOnDevicePath,
                         testing::Combine(testing::Values(c10::kMPS, c10::kCUDA),
                                          testing::Values(std::string("medium"), std::string("large"))),
                         [](const auto& one) {
                           return c10::DeviceTypeName(std::get<0>(one.param)) + std::get<1>(one.param);
                         });

TEST_P(PlanOnDevicePath, AStepDoesWhatTheDeviceCan) {
  const Plan plan =
      make_plan(read_suite(BENCH_SOURCE_DIR "/suites/m4max.yaml"), ceilings_of(read_machine("m4-max-40", "test")));
  const TrainingPlan& training = *plan.find("train-" + name())->training;
  for (const torch::Dtype compute : {torch::kHalf, torch::kBFloat16}) {
    const StepShape shape{training.micro_batch_size, 2, 2048, training.gradient_checkpointing, compute};
    EXPECT_EQ(faults_of(record_step(config(), shape, c10::kMeta, as_on()), 1), Faults{}) << compute;
  }
}

TEST_P(PlanOnDevicePath, GeneratingReadsOnceAToken) {
  model::LanguageModel model = empty_model(config(), torch::kBFloat16, c10::kMeta);
  const std::vector<std::vector<std::int64_t>> prompts{std::vector<std::int64_t>(1024, 7)};
  model::GenerateOptions options{.max_new_tokens = 20, .stop_at_eos = false};
  const DeviceWork work =
      record_device_work([&] { model::generate(model, prompts, {}, options); }, as_on(), c10::kMeta);
  EXPECT_EQ(faults_of(work, options.max_new_tokens), Faults{});
  EXPECT_EQ(work.reads, options.max_new_tokens);
}

TEST_P(PlanOnDevicePath, ScoringAndPromptsDoWhatTheDeviceCan) {
  const torch::NoGradGuard no_grad;
  model::LanguageModel model = empty_model(config(), torch::kBFloat16, c10::kMeta);
  model->eval();
  const torch::Tensor ids =
      torch::zeros({4, config().max_seq_length}, torch::dtype(torch::kInt64).device(torch::kMeta));
  const auto score = [&] { model::token_nll(model->head(model->hidden(ids)[0]), ids[0]); };
  EXPECT_EQ(faults_of(record_device_work(score, as_on(), c10::kMeta), 0), Faults{});
  model::KvCache cache = model->make_cache(4, ids.size(1));
  const auto prompt = [&] { model->next_logits(ids, cache); };
  EXPECT_EQ(faults_of(record_device_work(prompt, as_on(), c10::kMeta), 0), Faults{});
}

}  // namespace
}  // namespace bench::harness
