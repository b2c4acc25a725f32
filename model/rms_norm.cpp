#include "model/rms_norm.h"

#include "model/device/rms_norm.h"
#include "model/fused/rms_norm.h"
#include "model/fused/rows.h"

namespace bench::model {

torch::Tensor rms_norm(const torch::Tensor& x, const torch::Tensor& weight, double eps) {
  // Squares of bf16 numbers need more than bf16's 8 bits, so fp32 is used; fp64 stays fp64.
  const auto dtype = x.scalar_type() == torch::kFloat64 ? torch::kFloat64 : torch::kFloat32;
  const torch::Tensor wide = x.to(dtype);
  const torch::Tensor scale = torch::rsqrt(wide.pow(2).mean(-1, /*keepdim=*/true) + eps);
  return (wide * scale * weight.to(dtype)).to(x.dtype());
}

RmsNormImpl::RmsNormImpl(std::int64_t size, double eps, const torch::TensorOptions& options) : eps_(eps) {
  weight_ = register_parameter("weight", torch::ones({size}, options));
}

torch::Tensor RmsNormImpl::forward(const torch::Tensor& x) {
  if (!fused_) return rms_norm(x, weight_, eps_);
  return (has_kernels(x) ? fused_rms_norm : device_rms_norm)(x, weight_, eps_);
}

}  // namespace bench::model
