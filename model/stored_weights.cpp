#include "model/stored_weights.h"

#include "model/json_file.h"

#include <algorithm>
#include <map>
#include <set>

namespace bench::model {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWeightsFile = "model.safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";

/// Files of the folder that hold weights by their names, as other programs look for them.
std::set<std::string> weight_files(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("model") && entry.path().extension() == ".safetensors") names.insert(name);
  }
  return names;
}

/// What to say where model.safetensors is not there.
[[noreturn]] void fail_without_weights(const fs::path& folder) {
  for (const char* name : {"pytorch_model.bin", "pytorch_model.bin.index.json"})
    if (fs::exists(folder / name))
      throw InputError((folder / name).string(), "holds the weights in PyTorch's own format, which isn't read",
                       "convert them: python -c \"from transformers import AutoModelForCausalLM as M; "
                       "M.from_pretrained('" +
                           folder.string() + "').save_pretrained('" + folder.string() + "-safetensors')\"");
  if (fs::is_directory(folder) && !weight_files(folder).empty())
    throw InputError((folder / kIndexFile).string(), "no such file", "there are shards, and it says what is where");
  throw InputError((folder / kWeightsFile).string(), "no such file",
                   "a checkpoint is a folder with config.json and model.safetensors");
}

/// The file of each weight, as the index has it.
std::map<std::string, std::string> read_index(const fs::path& index) {
  const Json json = read_json(index);
  std::map<std::string, std::string> files;
  const auto weight_map = get<Json>(json, "weight_map", index);
  for (const auto& [name, file] : weight_map.items()) {
    if (!file.is_string()) throw InputError(index.string(), "weight_map: has the wrong type");
    files[name] = file.get<std::string>();
    if (fs::path(files[name]).filename() != fs::path(files[name]))
      throw InputError(index.string(), "weight_map: '" + files[name] + "' is not a file of its folder");
    if (!fs::exists(index.parent_path() / files[name]))
      throw InputError(index.string(), "weight_map: names '" + files[name] + "', which is not there",
                       "copy the checkpoint again; was it still being downloaded?");
  }
  return files;
}

/// Throws for names that a wrapper of the module, or of a module within it, gives to weights.
void refuse_wrappers(const NamedTensors& weights, const fs::path& file) {
  for (const auto& [name, tensor] : weights)
    for (const std::string part : {"_orig_mod.", "module."})
      if (("." + name).find("." + part) != std::string::npos)
        throw InputError(file.string(), name + ": has the part '" + part + "'",
                         "it was saved from a module inside torch.compile's or DistributedDataParallel's: save the "
                         "module inside (model._orig_mod, model.module), or take '" +
                             part + "' out of every name");
}

/// A folder's weights, file by file.
class Files {
 public:
  explicit Files(const fs::path& folder) : folder_(folder) {
    if (const fs::path index = folder / kIndexFile; fs::exists(index)) {
      owners_ = read_index(index);
    } else {
      if (!fs::exists(folder / kWeightsFile)) fail_without_weights(folder);
      for (const auto& [name, tensor] : of(kWeightsFile)) owners_[name] = kWeightsFile;
    }
    for (const auto& name : weight_files(folder)) of(name);
    for (const auto& [weight, file] : owners_) of(file);
  }

  NamedTensors read() {
    NamedTensors weights;
    for (const auto& [name, file] : owners_) {
      const auto found = of(file).find(name);
      if (found == of(file).end())
        throw InputError((folder_ / kIndexFile).string(), name + ": should be in " + file + ", which has none",
                         "copy the checkpoint again: index and shards don't belong together");
      weights[name] = found->second;
    }
    for (const auto& [file, tensors] : files_) check_against_owners(file, tensors, weights);
    return weights;
  }

 private:
  const NamedTensors& of(const std::string& file) {
    const auto known = files_.find(file);
    if (known != files_.end()) return known->second;
    NamedTensors tensors = read_safetensors(folder_ / file);
    refuse_wrappers(tensors, folder_ / file);
    return files_[file] = std::move(tensors);
  }

  void check_against_owners(const std::string& file, const NamedTensors& tensors, const NamedTensors& weights) const {
    for (const auto& [name, tensor] : tensors) {
      const auto owner = owners_.find(name);
      if (owner == owners_.end()) {
        if (is_rotary_frequency(name)) continue;
        const bool sharded = fs::exists(folder_ / kIndexFile);
        throw InputError((folder_ / file).string(),
                         name + ": is not listed in " + (folder_ / (sharded ? kIndexFile : kWeightsFile)).string(),
                         "remove the file that doesn't belong to this checkpoint");
      }
      if (owner->second != file && !same_numbers(tensor, weights.at(name)))
        throw InputError((folder_ / file).string(),
                         name + ": has other numbers than in " + (folder_ / owner->second).string(),
                         "remove the file or the weight that is not the model's");
    }
  }

  const fs::path& folder_;
  std::map<std::string, std::string> owners_;  // weight to file
  std::map<std::string, NamedTensors> files_;
};

}  // namespace

NamedTensors read_weights(const fs::path& folder) { return Files(folder).read(); }

bool same_numbers(const torch::Tensor& a, const torch::Tensor& b) {
  if (a.sizes() != b.sizes()) return false;
  if (a.data_ptr() == b.data_ptr()) return true;
  if (a.scalar_type() == b.scalar_type() && a.numel() > 0 &&
      torch::equal(a.flatten().view(torch::kUInt8), b.flatten().view(torch::kUInt8)))  // bits: of NaNs as well
    return true;
  constexpr std::int64_t kPiece = 1 << 20;  // elements, so that little memory is taken
  const torch::Tensor x = a.flatten(), y = b.flatten();
  for (std::int64_t i = 0; i < x.numel(); i += kPiece) {
    const std::int64_t n = std::min(kPiece, x.numel() - i);
    if (!torch::equal(x.narrow(0, i, n).to(torch::kFloat64), y.narrow(0, i, n).to(torch::kFloat64))) return false;
  }
  return true;
}

bool is_rotary_frequency(const std::string& name) { return name.find("rotary_emb.inv_freq") != std::string::npos; }

}  // namespace bench::model
