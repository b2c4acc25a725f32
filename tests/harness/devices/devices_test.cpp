#include "harness/cases/decode.h"
#include "harness/cases/memory.h"
#include "harness/core/clock.h"
#include "harness/devices/device.h"
#include "harness/devices/device_names.h"
#include "harness/judging/metric.h"
#include "tests/harness/cases/recorded.h"
#include "tests/model/tiny.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

TEST(Devices, ConfigsKnowTheNamesOfTheTable) {
  std::vector<std::string> names{"auto"};
  for (const auto& device : devices()) names.push_back(device.name);
  EXPECT_EQ(device_names(), names);
}

int synchronized = 0;

/// A device that the program has never heard of: the processor under another name, with traits of its own.
Device stub_device() {
  Device stub = *device_named("cpu");
  stub.name = "stub";
  stub.synchronize = [] { ++synchronized; };
  stub.peak_bytes = [] { return MemoryReading{3'000'000'000, ""}; };
  stub.available_bytes = [] { return MemoryReading{8'000'000'000, ""}; };
  stub.decodes_in_bf16 = false;
  stub.fast_bf16 = [] { return false; };
  stub.has_kernels = false;
  stub.queues_work = true;
  return stub;
}

Context context_on(const Device& device) {
  Context context{"case", device, 100, {}};
  context.measuring.end_s = now_s() + 100;
  context.measuring.max_blocks = 1;
  return context;
}

// Nothing asks for a device by its name: a new one is its file and its row.
TEST(Devices, OneThatNobodyKnowsDecodes) {
  const Device stub = stub_device();
  DecodeConfig config;
  config.source.model.emplace().value = model::tiny_config();
  config.prompt_tokens = 3;
  config.new_tokens = 4;
  config.rounds = 1;
  Context context = context_on(stub);
  synchronized = 0;
  const Record record = tests::recorded(run_decode, config, context);
  EXPECT_EQ(record.notes.at("dtype"), "fp32");                         // auto, where bf16 isn't fast
  EXPECT_NEAR(find_metric("peak_memory")->of(record)->value, 3, 0.5);  // without what the probe keeps
  EXPECT_GT(record.samples("decode_step_time_s").size(), 0u);
  EXPECT_GT(record.blocks.at(0).matmul_flops_per_s, 0);  // probed on it
  EXPECT_GT(synchronized, 0);
}

TEST(Devices, OneThatNobodyKnowsTrains) {
  const Device stub = stub_device();
  MemoryConfig config;
  config.source.model.emplace().value = model::tiny_config();
  config.mode = "train";
  config.seq_lengths = {8};
  Context context = context_on(stub);
  const Record record = tests::recorded(run_memory, config, context);
  EXPECT_NEAR(record.samples("peak_memory_bytes").at(0), 3e9, 0.5e9);
  EXPECT_GT(record.samples("predicted_memory_bytes").at(0), 0);
}

}  // namespace
}  // namespace bench::harness
