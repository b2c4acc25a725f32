#pragma once

#include "model/tensor.h"

#include "model/config.h"
#include "model/kv_cache.h"
#include "model/linear.h"
#include "model/rope.h"

namespace bench::model {

/// Causal grouped-query self-attention with rotary positions. Without a cache the T tokens are the whole sequence; with
/// one they follow the S - T tokens that it holds.
class AttentionImpl : public torch::nn::Module {
 public:
  AttentionImpl(const ModelConfig& config, const torch::TensorOptions& options);

  /// x [B, T, C] -> [B, T, C]. `cache` may be null; then nothing is kept.
  torch::Tensor forward(const torch::Tensor& x, Rope& rope, KvCache* cache, std::int64_t layer);

 private:
  std::int64_t heads_, kv_heads_, head_dim_;
  double dropout_;
  Linear q_proj_{nullptr}, k_proj_{nullptr}, v_proj_{nullptr}, o_proj_{nullptr};
};
TORCH_MODULE(Attention);

/// softmax(q k^T / sqrt(D)) v, causal with the queries at the end of the keys. q [B, H, T, D], k and v [B, G, S, D] with
/// G dividing H and T <= S. The T queries are the last T of the S positions.
torch::Tensor causal_attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v, double dropout = 0);

}  // namespace bench::model
