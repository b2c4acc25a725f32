// A checkpoint's folder: config.json, and behind a zero byte model.safetensors.index.json. One shard is there.
#include "model/checkpoint.h"

#include "model/safetensors.h"
#include "tests/fuzz/entry.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bench::tests;
  constexpr std::int64_t kSmall = 100'000;  // parameters: larger models take too long to make
  const auto parts = parts_of(data, size);
  const auto& path = folder().path();
  folder().write("config.json", parts[0]);
  folder().write("model.safetensors.index.json", parts.size() > 1 ? parts[1] : "{}");
  const auto shard = path / "shard.safetensors";
  if (!std::filesystem::exists(shard))
    bench::model::write_safetensors(shard, {{"model.norm.weight", torch::ones({8})}});
  return take_or_refuse([&] {
    const auto config = bench::model::read_checkpoint_config(path);
    const auto parameters = bench::model::parameter_count(config);
    claim(parameters > 0, "parameters are counted without overflow");
    if (parameters < kSmall && config.max_seq_length < kSmall)
      bench::model::load_checkpoint(path, torch::kFloat32, torch::kCPU);
  });
}
