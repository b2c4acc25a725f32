#include "model/attention.h"

#include "model/fused/attention.h"
#include "model/fused/products.h"
#include "model/fused/rows.h"

#include <cmath>

namespace bench::model {

// LibTorch's is_causal aligns the triangle to the upper left, which is right only when nothing comes before the
// queries. A single query sees every key and needs no mask. In the other cases an explicit mask aligns the triangle to
// the lower right.
std::optional<torch::Tensor> causal_mask(std::int64_t queries, std::int64_t keys, const torch::Device& device) {
  if (queries == keys || queries == 1) return {};
  return torch::ones({queries, keys}, torch::dtype(torch::kBool).device(device)).tril(keys - queries);
}

torch::Tensor causal_attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                               const std::optional<torch::Tensor>& mask) {
  if (better_in_fp32(q)) {
    const auto wide = [](const torch::Tensor& x) { return x.to(torch::kFloat32); };
    return causal_attention(wide(q), wide(k), wide(v), mask).to(q.scalar_type());
  }
  return at::scaled_dot_product_attention(q, k, v, mask, /*dropout_p=*/0, /*is_causal=*/!mask && q.size(2) > 1,
                                          /*scale=*/std::nullopt, /*enable_gqa=*/q.size(1) != k.size(1));
}

torch::Tensor causal_attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v) {
  return causal_attention(q, k, v, causal_mask(q.size(2), k.size(2), q.device()));
}

torch::Tensor causal_attention_plain(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                                     double dropout_probability, const DropoutSite& site) {
  const std::int64_t repeat = q.size(1) / k.size(1), queries = q.size(2), keys = k.size(2);
  const torch::Tensor all_k = k.repeat_interleave(repeat, 1), all_v = v.repeat_interleave(repeat, 1);  // [B, H, S, D]
  const torch::Tensor scores = torch::matmul(q, all_k.transpose(2, 3)) / std::sqrt(static_cast<double>(q.size(3)));
  const torch::Tensor future =
      torch::ones({queries, keys}, torch::dtype(torch::kBool).device(q.device())).triu(keys - queries + 1);
  torch::Tensor probabilities =
      torch::softmax(scores.masked_fill(future, -INFINITY), -1, torch::kFloat32).to(q.dtype());
  if (dropout_probability > 0) probabilities = dropout(probabilities, dropout_probability, site);
  return torch::matmul(probabilities, all_v);  // [B, H, T, D]
}

AttentionImpl::AttentionImpl(const ModelConfig& config, const torch::TensorOptions& options)
    : heads_(config.num_heads),
      kv_heads_(config.num_kv_heads),
      head_dim_(config.head_dim()),
      dropout_(config.attention_dropout) {
  q_proj_ = register_module("q_proj", Linear(config.hidden_size, heads_ * head_dim_, options));
  k_proj_ = register_module("k_proj", Linear(config.hidden_size, kv_heads_ * head_dim_, options));
  v_proj_ = register_module("v_proj", Linear(config.hidden_size, kv_heads_ * head_dim_, options));
  o_proj_ = register_module("o_proj", Linear(heads_ * head_dim_, config.hidden_size, options));
}

torch::Tensor AttentionImpl::forward(const torch::Tensor& x, const LayerPass& pass) {
  return o_proj_(attend(q_proj_(x), k_proj_(x), v_proj_(x), pass));  // [B, T, C]
}

void AttentionImpl::quantize(Quantization quantization) {
  for (const Linear& linear : {q_proj_, k_proj_, v_proj_, o_proj_}) linear.ptr()->quantize(quantization);
}

void AttentionImpl::fill(DecodeLayer& layer) const {
  layer.q = q_proj_->rows();
  layer.k = k_proj_->rows();
  layer.v = v_proj_->rows();
  layer.o = o_proj_->rows();
}

void AttentionImpl::fill(DeviceLayer& layer) {
  LinearImpl::join(layer.qkv, {q_proj_.get(), k_proj_.get(), v_proj_.get()});
  layer.o = o_proj_->device_matrix();
}

torch::Tensor AttentionImpl::attend(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                                    const LayerPass& pass) {
  KvCache* const cache = pass.cache;
  RopeImpl& rope = pass.rope;
  const std::int64_t batch = q.size(0), tokens = q.size(1);
  const double dropout = is_training() ? dropout_ : 0.0;
  if (fused_ && !cache && dropout == 0) {  // tiles drop nothing
    const bool kernels = has_kernels(q);
    // Not by the mode of gradients alone: with gradient checkpointing the first pass has none, and what the backward
    // pass computes again must be the same.
    if (kernels || (tiled_gradient_ && (is_training() || torch::GradMode::is_enabled())))
      return (kernels ? tiled_attention : tiled_attention_plain)(q, k, v, rope.cos(tokens), rope.sin(tokens),
                                                                 head_dim_);
  }
  const std::int64_t first = cache ? cache->length() : 0;
  const bool no_gradient = !q.requires_grad() && !k.requires_grad() && !v.requires_grad();
  // For single tokens LibTorch computes all sequences at once; the tiles would take one sequence after the other.
  if (fused_ && cache && tokens > 1 && dropout == 0 && has_kernels(q) && no_gradient) {
    const auto [keys, values] = cache->with_room(pass.layer, tokens);
    return tiled_attention_with_cache(q, k, v, rope.cos(tokens, first), rope.sin(tokens, first), keys, values);
  }
  const auto split = [&](const torch::Tensor& y) {
    return y.view({batch, tokens, -1, head_dim_}).transpose(1, 2);  // [B, heads, T, D]
  };
  const torch::Tensor queries = rope.forward(split(q), first);                  // [B, H, T, D]
  torch::Tensor keys = rope.forward(split(k), first), values = split(v);        // [B, G, T, D]
  if (cache) std::tie(keys, values) = cache->append(pass.layer, keys, values);  // [B, G, S, D]
  const bool fused = fused_ && dropout == 0;  // LibTorch's fused attention takes its masks from a generator's state
  const torch::Tensor y =
      fused ? causal_attention(queries, keys, values)
            : causal_attention_plain(queries, keys, values, dropout, pass.site(LayerDropout::kProbabilities));
  return y.transpose(1, 2).reshape({batch, tokens, heads_ * head_dim_});
}

}  // namespace bench::model
