#include "model/checkpoint.h"

#include "model/json_file.h"
#include "model/stored_weights.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace bench::model {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfigFile = "config.json";
constexpr const char* kWeightsFile = "model.safetensors";

const torch::Tensor& find(const NamedTensors& weights, const std::string& name, torch::IntArrayRef shape,
                          const fs::path& file) {
  const auto found = weights.find(name);
  if (found == weights.end()) throw InputError(file.string(), name + ": is missing", "config.json promises it");
  if (found->second.sizes() != shape) {
    std::ostringstream what;
    what << name << ": has shape " << found->second.sizes() << ", config.json says " << shape;
    throw InputError(file.string(), what.str(), "do config.json and model.safetensors belong together?");
  }
  if (!found->second.is_floating_point())
    throw InputError(file.string(),
                     name + ": is " + toString(found->second.scalar_type()) + ", no floating-point weight",
                     "quantised checkpoints are not read; save the weights as bf16 or fp32");
  return found->second;
}

/// If a tied head is stored all the same, it must equal the embedding.
void check_tied_head(const ModelConfig& config, const NamedTensors& weights, const fs::path& folder) {
  const auto head = weights.find("lm_head.weight"), embedding = weights.find("model.embed_tokens.weight");
  if (!config.tie_embeddings || head == weights.end() || embedding == weights.end()) return;
  if (!same_numbers(head->second, embedding->second))
    throw InputError((folder / kConfigFile).string(),
                     "tie_word_embeddings: is true, but lm_head.weight has other numbers than "
                     "model.embed_tokens.weight in " +
                         (folder / kWeightsFile).string(),
                     "set it to false if the model has a head of its own, else remove lm_head.weight");
}

void assign_all(LanguageModel& model, const fs::path& folder, const torch::TensorOptions& options) {
  const fs::path file = folder / kWeightsFile;
  const NamedTensors weights = read_weights(folder);
  check_tied_head(model->config(), weights, folder);
  const torch::NoGradGuard no_grad;
  auto parameters = model->named_parameters();
  for (auto& parameter : parameters)
    parameter.value().set_data(
        find(weights, parameter.key(), parameter->sizes(), file).to(options));  // no copy if it fits
  for (const auto& [name, tensor] : weights)
    // A tied head is often stored all the same.
    if (!parameters.contains(name) && name != "lm_head.weight" && !is_rotary_frequency(name))
      throw InputError(file.string(), name + ": is not part of the model that config.json describes");
}

}  // namespace

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
  check_tied_head(model->config(), weights, folder);
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
