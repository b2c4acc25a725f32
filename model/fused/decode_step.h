#pragma once

#include "model/fused/gemv.h"
#include "model/kv_cache.h"
#include "model/tensor.h"

#include <vector>

namespace bench::model {

/// What one block's decoding reads. Norm weights [C] of the model's dtype.
struct DecodeLayer {
  torch::Tensor input_norm, post_attention_norm;
  WeightRows q, k, v, o, gate, up, down;
};

/// A whole model as decode_step reads it: views of its weights, which must outlive it.
struct DecodeWeights {
  torch::Tensor embedding;  // [V, C]
  std::vector<DecodeLayer> layers;
  torch::Tensor norm;
  WeightRows head;
  torch::Tensor cos, sin;  // [positions, D / 2]
  double eps = 0;
  std::int64_t heads = 0, kv_heads = 0, head_dim = 0, inner = 0, vocab = 0;
};

/// Bytes of matrices that one decode_step reads.
std::int64_t bytes_read(const DecodeWeights& weights);

/// Logits [B, V] fp32 behind one more token of each sequence, ids [B] int64; keys and values go into the cache, whose
/// sequences may have different lengths, and the cache moves on. One pass over the weights with no LibTorch operator in
/// it, since nothing is read while operators are called; activations are fp32, kept apart for each sequence, so
/// none depends on the others.
torch::Tensor decode_step(const DecodeWeights& weights, const torch::Tensor& ids, KvCache& cache);

}  // namespace bench::model
