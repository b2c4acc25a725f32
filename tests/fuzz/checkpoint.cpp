// A checkpoint's folder: config.json, then, each behind a zero byte, model.safetensors.index.json,
// generation_config.json and tokenizer_config.json. One shard and the tokenizer are there.
#include "model/checkpoint.h"

#include "harness/checkpoints/checkpoint_tokenizer.h"
#include "harness/core/files.h"
#include "model/safetensors.h"
#include "tests/fuzz/entry.h"

namespace bench::tests {
namespace {

void make_other_files() {
  static bool made = false;
  if (std::exchange(made, true)) return;
  model::write_safetensors(folder().path() / "shard.safetensors", {{"model.norm.weight", torch::ones({8})}});
  folder().write(harness::kTokenizerFile, harness::read_file("tests/fuzz/seeds/tokenizer/bpe"));
}

}  // namespace
}  // namespace bench::tests

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace bench::tests;
  namespace model = bench::model;
  constexpr std::int64_t kSmall = 100'000;  // parameters: larger models take too long to make
  make_other_files();
  auto parts = parts_of(data, size);
  parts.resize(4, "{}");
  const auto& path = folder().path();
  folder().write("config.json", parts[0]);
  folder().write("model.safetensors.index.json", parts[1]);
  folder().write("generation_config.json", parts[2]);
  folder().write("tokenizer_config.json", parts[3]);
  take_or_refuse([&] { model::read_end_tokens(path); });
  take_or_refuse([&] { bench::harness::checkpoint_tokenizer(path); });
  return take_or_refuse([&] {
    const auto config = model::read_checkpoint_config(path);
    const auto parameters = model::parameter_count(config);
    claim(parameters > 0, "parameters are counted without overflow");
    if (parameters < kSmall && config.max_seq_length < kSmall)
      model::load_checkpoint(path, torch::kFloat32, torch::kCPU);
  });
}
