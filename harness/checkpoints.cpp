#include "harness/checkpoints.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/names.h"
#include "model/checkpoint.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

/// Tells Transformers and llama.cpp what ours does: no token is added in front or behind.
constexpr const char* kTokenizerConfig = R"({
  "tokenizer_class": "LlamaTokenizer",
  "add_bos_token": false,
  "add_eos_token": false,
  "bos_token": "<s>",
  "eos_token": "</s>",
  "unk_token": "<unk>",
  "legacy": true
}
)";

void write_checksums(const fs::path& folder) {
  std::vector<std::string> lines;
  for (const auto& entry : fs::directory_iterator(folder))
    lines.push_back(fmt::format("{}  {}\n", xxh128_file(entry.path()), entry.path().filename().string()));
  std::sort(lines.begin(), lines.end());
  write_file_atomically(folder / kChecksumsFile, [&](std::ostream& out) {
    for (const auto& line : lines) out << line;
  });
}

}  // namespace

void verify_checkpoint(const fs::path& folder, bool training_state) {
  if (!fs::is_directory(folder) || !fs::exists(folder / "config.json"))
    throw Error(folder.string(), "is not a checkpoint",
                "a checkpoint is a folder with config.json and model.safetensors; bench train writes them");
  if (!fs::exists(folder / kChecksumsFile)) return;  // not one of ours
  std::istringstream lines(read_file(folder / kChecksumsFile));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t gap = line.find("  ");
    if (gap == std::string::npos)
      throw Error((folder / kChecksumsFile).string(), fmt::format("is damaged: \"{}\" is not a hash and a name", line),
                  "copy the checkpoint again, or use an earlier one");
    const std::string hash = line.substr(0, gap), name = line.substr(gap + 2);
    if (!training_state && name.rfind("training_state", 0) == 0) continue;
    if (!fs::exists(folder / name))
      throw Error((folder / name).string(), fmt::format("is missing, {} lists it", kChecksumsFile));
    const std::string found = xxh128_file(folder / name);
    if (found != hash)
      throw Error((folder / name).string(),
                  fmt::format("is damaged: its hash is {}, {} says {}", found, kChecksumsFile, hash),
                  "copy the checkpoint again, or use an earlier one");
  }
}

model::LanguageModel open_checkpoint(const fs::path& folder, torch::Dtype dtype, const torch::Device& device) {
  verify_checkpoint(folder, /*training_state=*/false);
  return model::load_checkpoint(folder, dtype, device);
}

std::unique_ptr<Tokenizer> checkpoint_tokenizer(const fs::path& folder) {
  if (!fs::exists(folder / kTokenizerFile)) return nullptr;
  return std::make_unique<Tokenizer>(folder / kTokenizerFile);
}

void write_checkpoint(const model::LanguageModel& model, const fs::path& folder, torch::Dtype dtype,
                      const Tokenizer* tokenizer, const std::function<void(const fs::path&)>& add_files) {
  write_folder_atomically(folder, [&](const fs::path& temporary) {
    model::save_checkpoint(model, temporary, dtype);
    if (tokenizer) {
      write_file_atomically(temporary / kTokenizerFile, tokenizer->content());
      write_file_atomically(temporary / "tokenizer_config.json", kTokenizerConfig);
    }
    if (add_files) add_files(temporary);
    write_checksums(temporary);
  });
}

model::LanguageModel new_model(const model::ModelConfig& config, torch::Dtype dtype, const Device& device,
                               std::uint64_t seed) {
  model::LanguageModel model(config, torch::TensorOptions().dtype(dtype).device(device.torch_device()));
  for (auto& buffer : model->buffers()) buffer.set_data(buffer.to(device.torch_device()));
  model::init_weights(model, seed);
  return model;
}

torch::Dtype fast_dtype(const Device& device) { return device.fast_bf16() ? torch::kBFloat16 : torch::kFloat32; }

torch::Dtype dtype_or_fast(const std::string& name, const Device& device, const std::string& where) {
  return name == "auto" ? fast_dtype(device) : dtype_named(name, where);
}

torch::Dtype decoding_dtype(const Device& device) {
  return device.torch_device().is_cpu() ? torch::kBFloat16 : fast_dtype(device);
}

torch::Dtype dtype_named(const std::string& name, const std::string& where) {
  if (name == "fp32") return torch::kFloat32;
  if (name == "bf16") return torch::kBFloat16;
  if (name == "fp16") return torch::kHalf;
  throw Error(where, fmt::format("unknown dtype '{}'", name), unknown_name_hint(name, {"fp32", "bf16", "fp16"}));
}

std::string dtype_text(torch::Dtype dtype) {
  for (const char* name : {"fp32", "bf16", "fp16"})
    if (dtype == dtype_named(name, "")) return name;
  return toString(dtype);
}

}  // namespace bench::harness
