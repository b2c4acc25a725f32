#pragma once

#include "model/tensor.h"

namespace bench::harness {

/// What causal attention is: softmax(q k^T / sqrt(D)) v, computed in fp64 on the CPU from the numbers of any device.
/// The T queries are the last of the S positions. q [B, H, T, D], k and v [B, G, S, D] with G dividing H. The result
/// [B, H, T, D] can be differentiated where the inputs are fp64 tensors on the CPU that require gradients.
torch::Tensor attention_formula(const torch::Tensor& q, const torch::Tensor& k, const torch::Tensor& v);

/// Turns x [B, heads, T, D] by angles whose cos and sin [T, D / 2] are given, dimension d together with d + D / 2.
/// All fp64.
torch::Tensor rotation_formula(const torch::Tensor& x, const torch::Tensor& cos, const torch::Tensor& sin);

}  // namespace bench::harness
