#include "model/checkpoint.h"

#include "model/error.h"
#include "model/safetensors.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include <nlohmann/json.hpp>

namespace bench::model {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kConfigFile = "config.json";
constexpr const char* kWeightsFile = "model.safetensors";

Json read_json(const fs::path& file) {
  std::ifstream in(file);
  if (!in)
    throw InputError(file.string(), "no such file", "a checkpoint is a folder with config.json and model.safetensors");
  try {
    Json json = Json::parse(in);
    if (json.is_object()) return json;
  } catch (const Json::parse_error& e) {
    throw InputError(file.string() + ": byte " + std::to_string(e.byte), "is not JSON");
  } catch (const Json::exception& e) {  // a number that no double holds
    throw InputError(file.string(), std::string("is not JSON that can be read: ") + e.what());
  }
  throw InputError(file.string(), "is not a JSON object");
}

/// The value under `key`, or `otherwise` when it is absent or null, which Transformers writes for "the default".
template <class T>
T get_or(const Json& json, const char* key, T otherwise, const fs::path& file) {
  if (!json.contains(key) || json[key].is_null()) return otherwise;
  try {
    return json[key].get<T>();
  } catch (const Json::exception&) {
    throw InputError(file.string(), std::string(key) + ": has the wrong type: " + json[key].dump());
  }
}

template <class T>
T get(const Json& json, const char* key, const fs::path& file) {
  if (!json.contains(key) || json[key].is_null()) throw InputError(file.string(), std::string(key) + ": is missing");
  return get_or<T>(json, key, T{}, file);
}

/// A token id that may be missing, null or, in some Llama configs, a list whose first element counts.
std::int64_t token_id(const Json& json, const char* key, std::int64_t otherwise, const fs::path& file) {
  if (!json.contains(key) || !json[key].is_array() || json[key].empty()) return get_or(json, key, otherwise, file);
  return get_or(Json{{key, json[key][0]}}, key, otherwise, file);
}

void require(bool supported, const fs::path& file, const std::string& what) {
  if (!supported) throw InputError(file.string(), what, "only LlamaForCausalLM as in the plan is supported");
}

/// rope_theta stands at the top (Transformers 4) or inside rope_parameters (Transformers 5).
double read_rope_theta(const Json& json, const fs::path& file) {
  constexpr double kDefault = 10000.0;
  for (const char* key : {"rope_parameters", "rope_scaling"}) {
    if (!json.contains(key) || !json[key].is_object()) continue;
    const auto type =
        get_or<std::string>(json[key], "rope_type", get_or<std::string>(json[key], "type", "default", file), file);
    require(type == "default", file, std::string(key) + ": rope_type '" + type + "' is not supported");
    if (json[key].contains("rope_theta")) return get<double>(json[key], "rope_theta", file);
  }
  return get_or(json, "rope_theta", kDefault, file);
}

const torch::Tensor& find(const NamedTensors& weights, const std::string& name, torch::IntArrayRef shape,
                          const fs::path& file) {
  const auto found = weights.find(name);
  if (found == weights.end()) throw InputError(file.string(), name + ": is missing", "config.json promises it");
  if (found->second.sizes() != shape) {
    std::ostringstream what;
    what << name << ": has shape " << found->second.sizes() << ", config.json says " << shape;
    throw InputError(file.string(), what.str(), "do config.json and model.safetensors belong together?");
  }
  return found->second;
}

/// All tensors of model.safetensors, or of the shards that model.safetensors.index.json names.
NamedTensors read_weights(const fs::path& folder) {
  const fs::path index_file = folder / (std::string(kWeightsFile) + ".index.json");
  if (fs::exists(folder / kWeightsFile) || !fs::exists(index_file)) return read_safetensors(folder / kWeightsFile);
  const Json index = read_json(index_file);
  std::set<std::string> shards;
  const Json weight_map = get<Json>(index, "weight_map", index_file);
  for (const auto& [name, shard] : weight_map.items()) {
    if (!shard.is_string()) throw InputError(index_file.string(), "weight_map: has the wrong type");
    shards.insert(shard.get<std::string>());
  }
  NamedTensors weights;
  for (const auto& shard : shards) weights.merge(read_safetensors(folder / shard));
  return weights;
}

void assign_all(LanguageModel& model, const fs::path& folder, const torch::TensorOptions& options) {
  const fs::path file = folder / kWeightsFile;
  const NamedTensors weights = read_weights(folder);
  const torch::NoGradGuard no_grad;
  auto parameters = model->named_parameters();
  for (auto& parameter : parameters)
    parameter.value().set_data(
        find(weights, parameter.key(), parameter->sizes(), file).to(options));  // no copy if it fits
  for (const auto& [name, tensor] : weights)
    // A tied head may be stored all the same; older files also carry the rotary frequencies.
    if (!parameters.contains(name) && name != "lm_head.weight" && name.find("rotary_emb.inv_freq") == std::string::npos)
      throw InputError(file.string(), name + ": is not part of the model that config.json describes");
}

}  // namespace

ModelConfig read_checkpoint_config(const fs::path& folder) {
  const fs::path file = folder / kConfigFile;
  const Json json = read_json(file);
  require(get_or<std::string>(json, "model_type", "llama", file) == "llama", file, "model_type: is not llama");
  require(get_or<std::string>(json, "hidden_act", "silu", file) == "silu", file, "hidden_act: is not silu");
  require(!get_or(json, "attention_bias", false, file), file, "attention_bias: is true");
  require(!get_or(json, "mlp_bias", false, file), file, "mlp_bias: is true");
  ModelConfig config;
  config.vocab_size = get<std::int64_t>(json, "vocab_size", file);
  config.hidden_size = get<std::int64_t>(json, "hidden_size", file);
  config.num_layers = get<std::int64_t>(json, "num_hidden_layers", file);
  config.num_heads = get<std::int64_t>(json, "num_attention_heads", file);
  config.num_kv_heads = get_or(json, "num_key_value_heads", config.num_heads, file);
  config.intermediate_size = get<std::int64_t>(json, "intermediate_size", file);
  config.max_seq_length = get_or<std::int64_t>(json, "max_position_embeddings", 2048, file);
  config.rope_theta = read_rope_theta(json, file);
  config.dropout = get_or(json, "dropout", 0.0, file);  // ours; Transformers ignores it
  config.attention_dropout = get_or(json, "attention_dropout", 0.0, file);
  config.tie_embeddings = get_or(json, "tie_word_embeddings", false, file);
  config.rms_norm_eps = get_or(json, "rms_norm_eps", 1e-6, file);
  config.bos_token_id = token_id(json, "bos_token_id", 1, file);
  config.eos_token_id = token_id(json, "eos_token_id", 2, file);
  config.validate([&](bool ok, const std::string& key, const std::string& what, const std::string& hint) {
    if (!ok) throw InputError(file.string(), key + ": " + what, hint);
  });
  require(get_or(json, "head_dim", config.head_dim(), file) == config.head_dim(), file,
          "head_dim: is not hidden_size / num_attention_heads");
  return config;
}

LanguageModel load_checkpoint(const fs::path& folder, torch::Dtype dtype, const torch::Device& device) {
  // Allocated but never touched, so these weights cost no memory: the file's tensors take their place.
  LanguageModel model(read_checkpoint_config(folder), torch::TensorOptions().dtype(dtype));
  assign_all(model, folder, torch::TensorOptions().dtype(dtype).device(device));
  for (auto& buffer : model->buffers()) buffer.set_data(buffer.to(device));
  model->eval();
  return model;
}

void load_weights(LanguageModel& model, const fs::path& folder) {
  const NamedTensors weights = read_weights(folder);
  const torch::NoGradGuard no_grad;
  for (auto& parameter : model->named_parameters())
    parameter.value().copy_(find(weights, parameter.key(), parameter->sizes(), folder / kWeightsFile));
}

void save_checkpoint(const LanguageModel& model, const fs::path& folder, torch::Dtype dtype) {
  const ModelConfig& config = model->config();
  const Json json = {{"architectures", {"LlamaForCausalLM"}},
                     {"model_type", "llama"},
                     {"vocab_size", config.vocab_size},
                     {"hidden_size", config.hidden_size},
                     {"num_hidden_layers", config.num_layers},
                     {"num_attention_heads", config.num_heads},
                     {"num_key_value_heads", config.num_kv_heads},
                     {"head_dim", config.head_dim()},
                     {"intermediate_size", config.intermediate_size},
                     {"max_position_embeddings", config.max_seq_length},
                     {"rope_theta", config.rope_theta},
                     {"hidden_act", "silu"},
                     {"attention_bias", false},
                     {"mlp_bias", false},
                     {"dropout", config.dropout},
                     {"attention_dropout", config.attention_dropout},
                     {"tie_word_embeddings", config.tie_embeddings},
                     {"rms_norm_eps", config.rms_norm_eps},
                     {"bos_token_id", config.bos_token_id},
                     {"eos_token_id", config.eos_token_id},
                     {"torch_dtype", dtype == torch::kBFloat16  ? "bfloat16"
                                     : dtype == torch::kFloat16 ? "float16"
                                                                : "float32"}};
  std::ofstream out(folder / kConfigFile);
  out << json.dump(2) << "\n";
  out.close();
  if (!out)
    throw WriteError((folder / kConfigFile).string(), std::string("cannot be written: ") + std::strerror(errno),
                     "is the disk full?");
  NamedTensors weights;
  for (const auto& parameter : model->named_parameters()) weights[parameter.key()] = parameter->to(dtype);
  write_safetensors(folder / kWeightsFile, weights);
}

}  // namespace bench::model
