#include "harness/checkpoints/checkpoints.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/names.h"
#include "model/checkpoint.h"
#include "model/json_file.h"

#include <algorithm>
#include <map>
#include <sstream>

#include <fmt/format.h>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

constexpr const char* kStateFile = "training_state.json";
constexpr const char* kChecksumsKey = "checksums";  // in config.json: the name of the list, so that its loss is noticed

/// Tells Transformers and llama.cpp to do what our tokenizer does: it adds no token in front or behind.
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

void say_that_there_are_checksums(const fs::path& config_file) {
  model::Json config = model::read_json(config_file);
  config[kChecksumsKey] = kChecksumsFile;
  write_file_atomically(config_file, config.dump(2) + "\n");
}

void write_checksums(const fs::path& folder) {
  std::vector<std::string> lines;
  for (const auto& entry : fs::directory_iterator(folder))
    lines.push_back(fmt::format("{}  {}\n", xxh128_file(entry.path()), entry.path().filename().string()));
  std::ranges::sort(lines);
  write_file_atomically(folder / kChecksumsFile, [&](std::ostream& out) {
    for (const auto& line : lines) out << line;
  });
}

constexpr const char* kAnotherCopy = "copy the checkpoint again, or use an earlier one";

/// The hash of each file that the list names. Throws Error if a file is not in the list's own folder.
std::map<std::string, std::string> read_checksums(const fs::path& file) {
  std::map<std::string, std::string> hashes;
  std::istringstream lines(read_file(file));
  for (std::string line; std::getline(lines, line);) {
    const std::size_t gap = line.find("  ");
    if (gap == std::string::npos)
      throw Error(file.string(), fmt::format("is damaged: \"{}\" is not a hash and a name", line), kAnotherCopy);
    const std::string name = line.substr(gap + 2);
    if (name.empty() || name == "." || name == ".." || fs::path(name).filename() != fs::path(name))
      throw Error(file.string(), fmt::format("\"{}\" is not the name of a file in its folder", name), kAnotherCopy);
    if (!hashes.emplace(name, line.substr(0, gap)).second)
      throw Error(file.string(), fmt::format("names {} twice", name), kAnotherCopy);
  }
  return hashes;
}

/// Whether `bench train` or another of our commands made the folder. A folder that Transformers wrote from one of ours
/// has our keys in its config, but also says the version of Transformers.
bool is_ours(const fs::path& folder) {
  if (fs::exists(folder / kStateFile)) return true;
  const model::Json config = model::read_json(folder / "config.json");
  return config.contains(kChecksumsKey) && !config.contains("transformers_version");
}

bool is_training_state(const std::string& name) { return name.starts_with("training_state"); }

/// Whether a file decides what the checkpoint is. Other files may stand beside it: a README, a conversion for
/// llama.cpp.
bool is_read(const std::string& name) {
  constexpr const char* kRead[] = {"config.json", "generation_config.json", "tokenizer_config.json", kTokenizerFile};
  return is_training_state(name) || std::ranges::find(kRead, name) != std::end(kRead) ||
         (name.starts_with("model") && name.find(".safetensors") != std::string::npos);
}

void check_lists_all(const fs::path& folder, const std::map<std::string, std::string>& hashes) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (is_read(name) && !hashes.contains(name))
      throw Error((folder / kChecksumsFile).string(), fmt::format("does not list {}, which stands beside it", name),
                  fmt::format("{}; if the file was put there on purpose: xxhsum -H2 {} >> {}", kAnotherCopy, name,
                              kChecksumsFile));
  }
}

}  // namespace

void verify_checkpoint(const fs::path& folder, bool training_state) {
  if (!fs::is_directory(folder) || !fs::exists(folder / "config.json"))
    throw Error(folder.string(), "is not a checkpoint",
                "a checkpoint is a folder with config.json and model.safetensors; bench train writes them");
  if (!fs::exists(folder / kChecksumsFile)) {
    if (!is_ours(folder)) return;
    throw Error((folder / kChecksumsFile).string(), "is missing: a checkpoint of bench has one", kAnotherCopy);
  }
  const auto hashes = read_checksums(folder / kChecksumsFile);
  check_lists_all(folder, hashes);
  for (const auto& [name, hash] : hashes) {
    if (!training_state && is_training_state(name)) continue;
    if (!fs::exists(folder / name))
      throw Error((folder / name).string(), fmt::format("is missing, {} lists it", kChecksumsFile));
    const std::string found = xxh128_file(folder / name);
    if (found != hash)
      throw Error((folder / name).string(),
                  fmt::format("is damaged: its hash is {}, {} says {}", found, kChecksumsFile, hash), kAnotherCopy);
  }
}

model::LanguageModel open_checkpoint(const fs::path& folder, torch::Dtype dtype, const torch::Device& device) {
  verify_checkpoint(folder, /*training_state=*/false);
  return model::load_checkpoint(folder, dtype, device);
}

void write_checkpoint(const model::LanguageModel& model, const fs::path& folder, torch::Dtype dtype,
                      const Tokenizer* tokenizer, const std::function<void(const fs::path&)>& add_files) {
  write_folder_atomically(folder, [&](const fs::path& temporary) {
    model::save_checkpoint(model, temporary, dtype);
    say_that_there_are_checksums(temporary / "config.json");
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
  return device.decodes_in_bf16 ? torch::kBFloat16 : fast_dtype(device);
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
