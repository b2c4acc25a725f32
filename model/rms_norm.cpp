#include "model/rms_norm.h"

namespace bench::model {

torch::Tensor rms_norm(const torch::Tensor& x, const torch::Tensor& weight, double eps) {
  const torch::Tensor wide = x.to(torch::kFloat32);  // squares of bf16 numbers need more than its 8 bits
  const torch::Tensor scale = torch::rsqrt(wide.pow(2).mean(-1, /*keepdim=*/true) + eps);
  return (wide * scale * weight.to(torch::kFloat32)).to(x.dtype());
}

RmsNormImpl::RmsNormImpl(std::int64_t size, double eps, const torch::TensorOptions& options) : eps_(eps) {
  weight_ = register_parameter("weight", torch::ones({size}, options));
}

}  // namespace bench::model
