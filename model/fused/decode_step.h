#pragma once

#include "model/fused/gemv.h"
#include "model/kv_cache.h"
#include "model/tensor.h"

#include <vector>

namespace bench::model {

/// What decode_step reads of one block. The norm weights [C] have the model's dtype.
struct DecodeLayer {
  torch::Tensor input_norm, post_attention_norm;
  WeightRows q, k, v, o, gate, up, down;
};

/// A whole model as decode_step reads it. These are views of the model's weights, which must outlive this struct.
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

/// Runs one more token of each sequence, ids [B] int64, and returns the logits [B, V] fp32 behind it. The tokens' keys
/// and values go into the cache, whose sequences may have different lengths, and the cache moves on. The step is one
/// pass over the weights without any LibTorch operator, since no weights are read while an operator is being called.
/// Activations are fp32 and kept apart for each sequence, so no sequence's logits depend on the others.
torch::Tensor decode_step(const DecodeWeights& weights, const torch::Tensor& ids, KvCache& cache);

}  // namespace bench::model
