#pragma once

#include "model/switchable.h"

namespace bench::model {

/// x / sqrt(mean(x^2) + eps) * weight over the last dimension. x [..., C] fp32 or bf16, weight [C]; the result has x's
/// dtype and is computed in fp32. Zhang and Sennrich, 2019 (arXiv 1910.07467).
torch::Tensor rms_norm(const torch::Tensor& x, const torch::Tensor& weight, double eps);

class RmsNormImpl : public Switchable {
 public:
  RmsNormImpl(std::int64_t size, double eps, const torch::TensorOptions& options);
  torch::Tensor forward(const torch::Tensor& x);
  const torch::Tensor& weight() const { return weight_; }
  double eps() const { return eps_; }

 private:
  double eps_;
  torch::Tensor weight_;  // [C]
};
TORCH_MODULE(RmsNorm);

}  // namespace bench::model
