#pragma once

#include "model/decoder.h"
#include "model/path.h"

namespace bench::model {

/// A model small enough for tests, large enough to have several layers and grouped heads.
inline ModelConfig tiny_config() {
  ModelConfig config;
  config.vocab_size = 96;
  config.hidden_size = 32;
  config.num_layers = 3;
  config.num_heads = 4;
  config.num_kv_heads = 2;
  config.intermediate_size = 48;
  config.max_seq_length = 64;
  config.dropout = 0;
  return config;
}

inline LanguageModel tiny_model(const ModelConfig& config = tiny_config(), torch::Dtype dtype = torch::kFloat32) {
  LanguageModel model(config, torch::TensorOptions().dtype(dtype));
  model->set_tiled_gradient(path() == Path::kPortable);  // as on the devices that have no other
  init_weights(model, 5);
  for (auto& parameter : model->parameters()) {
    const torch::NoGradGuard no_grad;
    if (parameter.dim() >= 2) parameter.mul_(4);  // far from uniform attention and flat logits
  }
  return model;
}

inline torch::Tensor tiny_ids(std::int64_t batch, std::int64_t tokens, std::uint64_t seed = 1) {
  return torch::randint(0, 96, {batch, tokens}, at::detail::createCPUGenerator(seed), torch::kInt64);
}

inline double largest(const torch::Tensor& difference) { return difference.abs().max().item<double>(); }

}  // namespace bench::model
