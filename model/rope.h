#pragma once

#include "model/tensor.h"

namespace bench::model {

/// Turns x [..., T, D] by the angles whose cos and sin [T, D / 2] fp32 are given: dimension d turns together with d + D
/// / 2. Computed in fp32, returned in x's dtype. With -sin it turns x back, which is also the gradient.
torch::Tensor rotate(const torch::Tensor& x, const torch::Tensor& cos, const torch::Tensor& sin);

/// Rotary position embedding (Su et al., arXiv 2104.09864) in the half-split layout of Hugging Face's Llama: dimension
/// d turns together with d + head_dim / 2.
class RopeImpl : public torch::nn::Module {
 public:
  /// Tables for positions 0 .. max_positions - 1, fp32.
  RopeImpl(std::int64_t head_dim, std::int64_t max_positions, double theta);

  /// x [B, heads, T, D] at positions first .. first + T - 1; turned in fp32, returned in x's dtype.
  torch::Tensor forward(const torch::Tensor& x, std::int64_t first);

  /// The tables of positions first .. first + tokens - 1, [tokens, D / 2] fp32.
  torch::Tensor cos(std::int64_t tokens, std::int64_t first = 0) const { return cos_.narrow(0, first, tokens); }
  torch::Tensor sin(std::int64_t tokens, std::int64_t first = 0) const { return sin_.narrow(0, first, tokens); }
  /// The tables of all positions.
  const torch::Tensor& all_cos() const { return cos_; }
  const torch::Tensor& all_sin() const { return sin_; }

 private:
  torch::Tensor cos_, sin_;  // [max_positions, D / 2]
};
TORCH_MODULE(Rope);

}  // namespace bench::model
