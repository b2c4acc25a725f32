#include "model/block.h"

#include "model/fused/dropout.h"
#include "model/fused/rows.h"

namespace bench::model {

BlockImpl::BlockImpl(const ModelConfig& config, const torch::TensorOptions& options) : dropout_(config.dropout) {
  self_attn_ = register_module("self_attn", Attention(config, options));
  mlp_ = register_module("mlp", FeedForward(config, options));
  input_layernorm_ = register_module("input_layernorm", RmsNorm(config.hidden_size, config.rms_norm_eps, options));
  post_attention_layernorm_ =
      register_module("post_attention_layernorm", RmsNorm(config.hidden_size, config.rms_norm_eps, options));
}

torch::Tensor BlockImpl::forward(torch::Tensor x, Rope& rope, KvCache* cache, std::int64_t layer) {
  x = add(x, self_attn_(input_layernorm_(x), rope, cache, layer));
  return add(x, mlp_(post_attention_layernorm_(x)));
}

void BlockImpl::quantize(Quantization quantization) {
  self_attn_->quantize(quantization);
  mlp_->quantize(quantization);
}

DecodeLayer BlockImpl::decode_layer() const {
  DecodeLayer layer{input_layernorm_->weight(), post_attention_layernorm_->weight(), {}, {}, {}, {}, {}, {}, {}};
  self_attn_->fill(layer);
  mlp_->fill(layer);
  return layer;
}

torch::Tensor BlockImpl::add(const torch::Tensor& x, const torch::Tensor& branch) const {
  if (!is_training() || dropout_ == 0) return x + branch;
  return fused_ && has_kernels(x) ? fused_dropout_add(x, branch, dropout_)
                                  : x + torch::dropout(branch, dropout_, /*train=*/true);
}

}  // namespace bench::model
