#include "harness/cost/launches.h"

#include "harness/core/fields.h"
#include "harness/measuring/device_operators.h"
#include "model/decoder.h"
#include "model/device/metal_launch.h"
#include "model/path.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

model::ModelConfig load(const std::string& name) {
  return read_config<model::ModelConfig>(YamlNode::load(BENCH_SOURCE_DIR "/configs/" + name));
}

/// Does nothing: a launch is counted, whatever it computes.
void launch_nothing(const model::MetalLaunch&) {}

/// The launches of one greedy token, counted.
std::int64_t counted(model::ModelConfig config, c10::DeviceType as_on) {
  config.vocab_size = 96;
  config.hidden_size = 64;
  config.num_heads = 4;
  config.num_kv_heads = 2;
  config.intermediate_size = 48;
  const torch::NoGradGuard no_grad;
  model::LanguageModel model(config, torch::dtype(torch::kBFloat16));
  model::init_weights(model, 1);
  model->eval();
  model::KvCache cache = model->make_cache(2, 8);
  torch::Tensor token = model->next_logits(torch::ones({2, 3}, torch::kInt64), cache).argmax(-1, true);
  return record_device_work([&] { token = model->next_logits(token, cache).argmax(-1, true); }, as_on).launches;
}

TEST(DecodeLaunches, AreThoseThatAreCounted) {
  const model::AssumedPath portable(model::Path::kPortable);
  for (const char* name : {"model_medium.yaml", "model_large.yaml"}) {
    const model::ModelConfig config = load(name);
    for (const auto as_on : {c10::kMPS, c10::kCUDA})
      EXPECT_EQ(decode_launches(config).with_operators, counted(config, as_on)) << name << " " << as_on;
    const model::AssumedDeviceKernels ours(model::kernels_launched_by<launch_nothing>());
    EXPECT_EQ(decode_launches(config).with_kernels, counted(config, c10::kMPS)) << name;
  }
}

TEST(DecodeLaunches, AKernelOfOursNeverCostsMoreThanTheOperatorsItReplaces) {
  for (const auto parts : {layer_launches(), token_launches()})
    for (const auto& part : parts) {
      EXPECT_GE(part.with_kernels, 1) << part.name;
      EXPECT_LE(part.with_kernels, part.with_operators) << part.name;
    }
}

TEST(DecodeLaunches, OfTheMediumModelStayBelowWhatItsSuiteAllows) {
  const DecodeLaunches launches = decode_launches(load("model_medium.yaml"));
  EXPECT_LE(launches.with_operators, 450);
  EXPECT_LE(launches.with_kernels, 250);
}

}  // namespace
}  // namespace bench::harness
