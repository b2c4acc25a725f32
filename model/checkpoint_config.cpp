#include "model/checkpoint_config.h"

#include "model/json_file.h"

#include <algorithm>
#include <optional>

namespace bench::model {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfigFile = "config.json";
constexpr const char* kGenerationFile = "generation_config.json";

void require(bool supported, const fs::path& file, const std::string& what) {
  if (!supported) throw InputError(file.string(), what, "only LlamaForCausalLM as in the plan is supported");
}

bool says(const Json& json, const char* key) { return json.contains(key) && !json[key].is_null(); }

/// A number that may stand in several places, which must then agree.
class SaidOnce {
 public:
  explicit SaidOnce(const fs::path& file) : file_(file) {}
  void take(const Json& value, const std::string& place) {
    if (value_ && *value_ != value)
      throw InputError(file_.string(), place_ + " is " + value_->dump() + ", " + place + " is " + value.dump(),
                       "keep the one that the model was trained with");
    value_ = value;
    place_ = place;
  }

 private:
  const fs::path& file_;
  std::optional<Json> value_;
  std::string place_;
};

/// The kind of rotary positions that an object names, under today's key (rope_type) or the old one (type).
std::string rope_type(const Json& rope, const std::string& key, const fs::path& file) {
  SaidOnce once(file);
  for (const char* name : {"rope_type", "type"})
    if (says(rope, name)) once.take(rope[name], key + "." + name);
  if (!says(rope, "rope_type") && !says(rope, "type"))
    require(!says(rope, "factor"), file, key + ": has a factor without a rope_type");
  return get_or<std::string>(rope, "rope_type", get_or<std::string>(rope, "type", "default", file), file);
}

/// rope_theta stands at the top (Transformers 4) or inside rope_parameters (Transformers 5). Scaling is described in
/// rope_parameters or, in older files, in rope_scaling.
double read_rope_theta(const Json& json, const fs::path& file) {
  constexpr double kDefault = 10000.0;
  SaidOnce thetas(file), types(file), factors(file);
  double theta = get_or(json, "rope_theta", kDefault, file);
  if (says(json, "rope_theta")) thetas.take(theta, "rope_theta");
  std::string type = "default", said_in;
  for (const char* key : {"rope_parameters", "rope_scaling"}) {
    if (!says(json, key)) continue;
    const Json& rope = json[key];
    if (!rope.is_object()) throw InputError(file.string(), std::string(key) + ": has the wrong type: " + rope.dump());
    type = rope_type(rope, key, file);
    said_in = key;
    types.take(type, said_in + ".rope_type");
    if (says(rope, "factor")) factors.take(rope["factor"], said_in + ".factor");
    if (!says(rope, "rope_theta")) continue;
    theta = get<double>(rope, "rope_theta", file);
    thetas.take(theta, said_in + ".rope_theta");
  }
  require(type == "default", file, said_in + ": rope_type '" + type + "' is not supported");
  return theta;
}

/// A token id that may be missing, null or a list.
std::vector<std::int64_t> token_ids(const Json& json, const char* key, const fs::path& file) {
  if (!says(json, key)) return {};
  if (json[key].is_array()) return get<std::vector<std::int64_t>>(json, key, file);
  return {get<std::int64_t>(json, key, file)};
}

std::int64_t first_id(const Json& json, const char* key, std::int64_t otherwise, const fs::path& file) {
  const auto ids = token_ids(json, key, file);
  return ids.empty() ? otherwise : ids.front();
}

void require_llama(const Json& json, const fs::path& file) {
  require(get_or<std::string>(json, "model_type", "llama", file) == "llama", file, "model_type: is not llama");
  const auto architectures = get_or<std::vector<std::string>>(json, "architectures", {}, file);
  const bool ours = std::ranges::find(architectures, "LlamaForCausalLM") != architectures.end();
  require(architectures.empty() || ours, file, "architectures: has no LlamaForCausalLM");
  require(get_or<std::string>(json, "hidden_act", "silu", file) == "silu", file, "hidden_act: is not silu");
  require(!get_or(json, "attention_bias", false, file), file, "attention_bias: is true");
  require(!get_or(json, "mlp_bias", false, file), file, "mlp_bias: is true");
  require(get_or(json, "partial_rotary_factor", 1.0, file) == 1.0, file, "partial_rotary_factor: is not 1");
  require(!says(json, "quantization_config"), file, "quantization_config: quantised weights are not supported");
}

}  // namespace

ModelConfig read_checkpoint_config(const fs::path& folder) {
  const fs::path file = folder / kConfigFile;
  const Json json = read_json(file);
  require_llama(json, file);
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
  config.bos_token_id = first_id(json, "bos_token_id", 1, file);
  config.eos_token_id = first_id(json, "eos_token_id", 2, file);
  config.validate([&](bool ok, const std::string& key, const std::string& what, const std::string& hint) {
    if (!ok) throw InputError(file.string(), key + ": " + what, hint);
  });
  require(get_or(json, "head_dim", config.head_dim(), file) == config.head_dim(), file,
          "head_dim: is not hidden_size / num_attention_heads");
  return config;
}

EndTokens read_end_tokens(const fs::path& folder) {
  const Json config = read_json(folder / kConfigFile);
  const auto vocab_size = get<std::int64_t>(config, "vocab_size", folder / kConfigFile);
  EndTokens end;
  const auto take = [&](const Json& json, const char* name) {
    const auto said = token_ids(json, "eos_token_id", folder / name);
    for (const std::int64_t id : said) {
      if (id < 0 || id >= vocab_size)
        throw InputError((folder / name).string(), "eos_token_id: " + std::to_string(id) +
                                                       " is outside the vocabulary of " + std::to_string(vocab_size));
      if (std::ranges::find(end.ids, id) == end.ids.end()) end.ids.push_back(id);
    }
    if (!said.empty()) end.said_in += (end.said_in.empty() ? "" : " and ") + std::string(name);
  };
  take(config, kConfigFile);
  if (fs::exists(folder / kGenerationFile)) take(read_json(folder / kGenerationFile), kGenerationFile);
  if (end.said_in.empty() && !config.contains("eos_token_id"))  // as Transformers' LlamaConfig has it
    end = {{read_checkpoint_config(folder).eos_token_id}, "neither config.json nor generation_config.json"};
  return end;
}

}  // namespace bench::model
