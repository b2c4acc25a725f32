#pragma once

#include "model/tensor.h"

namespace bench::model {

/// Rotary positions, causal grouped-query attention and their gradients, for whole sequences.
///
/// The queries are worked on in blocks of kQueryBlock positions. The forward pass takes smaller blocks if threads would
/// otherwise have nothing to do, so its rounding depends on the number of threads. The query heads that share a key and
/// value head are the rows of one matrix product, so keys and values are not repeated. Of the T x T scores, only the
/// rows of the blocks that are being worked on exist: memory grows linearly with T. For the backward pass
/// tiled_attention keeps its inputs and one number per row, and computes the probabilities again (Dao et al., 2022,
/// arXiv 2205.14135).
///
/// q [B, T, H * D], k and v [B, T, G * D] as the projections give them, not rotated; cos and sin [T, D / 2] fp32.
/// H must be a multiple of G. Result [B, T, H * D] in q's dtype.
torch::Tensor tiled_attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                              const torch::Tensor& cos, const torch::Tensor& sin, std::int64_t head_dim);

/// Does the same for tokens that follow those of a cache, without gradients. keys and values [B, G, S, D] hold the S -
/// T tokens before, with keys already rotated. The keys and values of the T new tokens are written into them. cos and
/// sin are those of the T positions. q, k, v, keys and values have one dtype. In keys and values, the positions of a
/// head lie one behind the other.
torch::Tensor tiled_attention_with_cache(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                                         const torch::Tensor& cos, const torch::Tensor& sin, const torch::Tensor& keys,
                                         const torch::Tensor& values);

/// Computes the same as tiled_attention with LibTorch's own operators. Meant for devices whose fused attention has no
/// gradient, such as MPS. Each product takes the keys and values of all sequences and heads, and the queries are worked
/// on in blocks of tiled_query_block() positions, since on such devices launching an operator costs much.
torch::Tensor tiled_attention_plain(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                                    const torch::Tensor& cos, const torch::Tensor& sin, std::int64_t head_dim);

inline constexpr std::int64_t kQueryBlock = 128;

/// The block of queries of tiled_attention_plain, for `batch` sequences of `tokens` tokens and `heads` query heads. The
/// larger the block, the fewer launches, and the more scores that no query sees. Each of the four matrices of scores
/// takes at most 256 MiB in fp32, or as much as kQueryBlock queries need.
std::int64_t tiled_query_block(std::int64_t batch, std::int64_t heads, std::int64_t tokens);

/// How tiled_attention's backward pass divides a sequence among threads. The queries of each group of heads are divided
/// into `parts`. Of all groups' parts together, `at_once` are worked on at a time. Each part has its own gradients of
/// keys and values, in fp32; they are summed up. Each part at work also has the scores of a block of queries, and the
/// gradients of these scores.
struct AttentionParts {
  std::int64_t parts, at_once;
};
AttentionParts attention_parts(std::int64_t tokens, std::int64_t groups, std::int64_t threads);

}  // namespace bench::model
