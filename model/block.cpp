#include "model/block.h"

namespace bench::model {

BlockImpl::BlockImpl(const ModelConfig& config, const torch::TensorOptions& options) : dropout_(config.dropout) {
  self_attn_ = register_module("self_attn", Attention(config, options));
  mlp_ = register_module("mlp", FeedForward(config, options));
  input_layernorm_ = register_module("input_layernorm", RmsNorm(config.hidden_size, config.rms_norm_eps, options));
  post_attention_layernorm_ =
      register_module("post_attention_layernorm", RmsNorm(config.hidden_size, config.rms_norm_eps, options));
}

torch::Tensor BlockImpl::forward(torch::Tensor x, const LayerPass& pass) {
  x = add(x, self_attn_(input_layernorm_(x), pass), pass.site(LayerDropout::kAttention));
  return add(x, mlp_(post_attention_layernorm_(x)), pass.site(LayerDropout::kFeedForward));
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

void BlockImpl::fill(DeviceLayer& layer) {
  layer.input_norm = input_layernorm_->weight();
  layer.post_attention_norm = post_attention_layernorm_->weight();
  self_attn_->fill(layer);
  mlp_->fill(layer);
}

torch::Tensor BlockImpl::add(const torch::Tensor& x, const torch::Tensor& branch, const DropoutSite& site) const {
  if (!is_training() || dropout_ == 0) return x + branch;
  return fused_ ? dropout_add(x, branch, dropout_, site) : x + dropout(branch, dropout_, site);
}

}  // namespace bench::model
