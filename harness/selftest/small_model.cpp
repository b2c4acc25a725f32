#include "harness/selftest/small_model.h"

#include "model/mixed_bits.h"

namespace bench::harness {
namespace {

/// FNV-1a: the row of a name.
std::uint64_t hash_of(const std::string& name) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char letter : name) hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001b3;
  return hash;
}

std::uint64_t bits_of(const std::string& name, std::uint64_t i) { return model::mixed_bits(hash_of(name) + i); }

}  // namespace

model::ModelConfig small_config() {
  model::ModelConfig config;
  config.vocab_size = 128;
  config.hidden_size = 128;
  config.num_layers = 2;
  config.num_heads = 2;
  config.num_kv_heads = 1;
  config.intermediate_size = 256;
  config.max_seq_length = 256;
  config.dropout = 0;
  return config;
}

double number_of(const std::string& name, std::uint64_t i) {
  return static_cast<double>(static_cast<std::int64_t>(bits_of(name, i) >> 40) - (1 << 23)) / (1 << 23);
}

std::int64_t token_of(const std::string& name, std::uint64_t i, std::int64_t first, std::int64_t last) {
  return first + static_cast<std::int64_t>(bits_of(name, i) % static_cast<std::uint64_t>(last - first));
}

torch::Tensor token_row(const std::string& name, std::int64_t tokens, std::int64_t first, std::int64_t last) {
  const torch::Tensor ids = torch::empty({1, tokens}, torch::kInt64);
  for (std::int64_t i = 0; i < tokens; ++i)
    ids.data_ptr<std::int64_t>()[i] = token_of(name, static_cast<std::uint64_t>(i), first, last);
  return ids;
}

model::LanguageModel small_model(const Device& device, const model::ModelConfig& config) {
  model::LanguageModel model(config, torch::TensorOptions().dtype(torch::kFloat32));
  const torch::NoGradGuard no_grad;
  for (auto& item : model->named_parameters()) {
    const torch::Tensor& weight = item.value();
    const double middle = weight.dim() < 2 ? 1 : 0;
    float* numbers = weight.data_ptr<float>();
    for (std::int64_t i = 0; i < weight.numel(); ++i)
      numbers[i] = static_cast<float>(middle + number_of(item.key(), static_cast<std::uint64_t>(i)) / 4);
  }
  model->to(device.torch_device());
  model->set_tiled_gradient(!device.fused_attention_gradient);
  return model;
}

}  // namespace bench::harness
