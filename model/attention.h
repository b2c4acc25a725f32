#pragma once

#include "model/config.h"
#include "model/fused/decode_step.h"
#include "model/layer_pass.h"
#include "model/linear.h"
#include "model/switchable.h"

namespace bench::model {

/// Returns softmax(q k^T / sqrt(D)) v with a causal mask. The queries stand at the end of the keys: the T queries are
/// the last T of the S positions. q [B, H, T, D], k and v [B, G, S, D] with G dividing H and T <= S. Uses LibTorch's
/// fused kernels, which don't keep the T x S probabilities.
torch::Tensor causal_attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v);

/// The mask that causal_attention needs for `queries` of `keys` positions, [queries, keys] bool, or nothing.
std::optional<torch::Tensor> causal_mask(std::int64_t queries, std::int64_t keys, const torch::Device& device);
/// Does the same as causal_attention with a mask that was made before, so that several layers share it.
torch::Tensor causal_attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                               const std::optional<torch::Tensor>& mask);

/// Computes causal_attention step by step, as the formula says, in T x S memory. The fused version is checked against
/// this one. The softmax is in fp32. This version can also drop out probabilities.
torch::Tensor causal_attention_plain(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                                     double dropout_probability = 0, const DropoutSite& site = {});

/// Causal grouped-query self-attention with rotary positions. Without a cache the T tokens are the whole sequence. With
/// a cache they follow the S - T tokens that the cache holds.
class AttentionImpl : public Switchable {
 public:
  AttentionImpl(const ModelConfig& config, const torch::TensorOptions& options);

  /// x [B, T, C] -> [B, T, C].
  torch::Tensor forward(const torch::Tensor& x, const LayerPass& pass);
  void quantize(Quantization quantization);
  /// Fills in the q, k, v and o that decode_step reads.
  void fill(DecodeLayer& layer) const;
  /// Fills in what the device path reads.
  void fill(DeviceLayer& layer);
  /// Set this to true for devices on which causal_attention has no fused gradient. Training then takes
  /// tiled_attention_plain.
  void set_tiled_gradient(bool on) { tiled_gradient_ = on; }

 private:
  /// Rotates queries and keys, then computes attention: q [B, T, H * D], k and v [B, T, G * D] -> [B, T, H * D].
  torch::Tensor attend(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v, const LayerPass& pass);

  bool tiled_gradient_ = false;
  std::int64_t heads_, kv_heads_, head_dim_;
  double dropout_;
  Linear q_proj_{nullptr}, k_proj_{nullptr}, v_proj_{nullptr}, o_proj_{nullptr};
};
TORCH_MODULE(Attention);

}  // namespace bench::model
