#include "model/block.h"

namespace bench::model {

BlockImpl::BlockImpl(const ModelConfig& config, const torch::TensorOptions& options) : dropout_(config.dropout) {
  self_attn_ = register_module("self_attn", Attention(config, options));
  mlp_ = register_module("mlp", FeedForward(config, options));
  input_layernorm_ = register_module("input_layernorm", RmsNorm(config.hidden_size, config.rms_norm_eps, options));
  post_attention_layernorm_ =
      register_module("post_attention_layernorm", RmsNorm(config.hidden_size, config.rms_norm_eps, options));
}

torch::Tensor BlockImpl::forward(torch::Tensor x, Rope& rope, KvCache* cache, std::int64_t layer) {
  x = x + torch::dropout(self_attn_(input_layernorm_(x), rope, cache, layer), dropout_, is_training());
  return x + torch::dropout(mlp_(post_attention_layernorm_(x)), dropout_, is_training());
}

}  // namespace bench::model
