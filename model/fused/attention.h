#pragma once

#include "model/tensor.h"

namespace bench::model {

/// Rotary positions, causal grouped-query attention and their gradients, for whole sequences.
///
/// Queries are taken in blocks of kQueryBlock positions, in the forward pass smaller ones if threads would have nothing
/// to do: its rounding depends on their number. The query heads that share a key and value head are the rows
/// of one matrix product, so keys and values are not repeated, and of the T x T scores a block's rows are all that is
/// ever there: memory grows linearly with T. For the backward pass it keeps its inputs and one number a row
/// (Dao et al., 2022, arXiv 2205.14135), and makes the probabilities again.
///
/// q [B, T, H * D], k and v [B, T, G * D] as the projections give them, not rotated; cos and sin [T, D / 2] fp32.
/// H must be a multiple of G. Result [B, T, H * D] in q's dtype.
torch::Tensor tiled_attention(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                              const torch::Tensor& cos, const torch::Tensor& sin, std::int64_t head_dim);

/// The same for tokens behind those of a cache, without gradients: keys and values [B, G, S, D] hold those of S - T
/// tokens before, rotated keys; of the T at hand they are written there. cos and sin of the T positions. All in
/// one dtype, with heads whose positions lie one behind the other.
torch::Tensor tiled_attention_with_cache(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                                         const torch::Tensor& cos, const torch::Tensor& sin, const torch::Tensor& keys,
                                         const torch::Tensor& values);

/// The same as tiled_attention in LibTorch's own operators: for devices whose fused attention has no gradient, such as
/// MPS. With keys and values of all sequences and heads in each product, since launching is what costs there.
torch::Tensor tiled_attention_plain(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v,
                                    const torch::Tensor& cos, const torch::Tensor& sin, std::int64_t head_dim);

inline constexpr std::int64_t kQueryBlock = 128;

/// How tiled_attention's backward pass divides a sequence among threads: the queries of each group of heads into
/// `parts`, of which `at_once` are worked on at a time. It has gradients of keys and values, in fp32, once for each
/// part and sums them up; each piece at work has scores and their gradients for a block of queries.
struct AttentionPieces {
  std::int64_t parts, at_once;
};
AttentionPieces attention_pieces(std::int64_t tokens, std::int64_t groups, std::int64_t threads);

}  // namespace bench::model
