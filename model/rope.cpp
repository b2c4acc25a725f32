#include "model/rope.h"

namespace bench::model {

torch::Tensor rotate(const torch::Tensor& x, const torch::Tensor& cos, const torch::Tensor& sin) {
  const auto halves = x.to(torch::kFloat32).chunk(2, -1);
  return torch::cat({halves[0] * cos - halves[1] * sin, halves[1] * cos + halves[0] * sin}, -1).to(x.dtype());
}

RopeImpl::RopeImpl(std::int64_t head_dim, std::int64_t max_positions, double theta) {
  const torch::NoGradGuard no_grad;
  const auto fp32 = torch::dtype(torch::kFloat32);
  // Computed in fp32 like the reference implementation, so that far positions round the same way.
  const torch::Tensor exponent = torch::arange(0, head_dim, 2, fp32) / static_cast<double>(head_dim);
  const torch::Tensor frequency = 1.0 / torch::pow(theta, exponent);                        // [D/2]
  const torch::Tensor angle = torch::outer(torch::arange(max_positions, fp32), frequency);  // [S, D/2]
  cos_ = register_buffer("cos", torch::cos(angle));
  sin_ = register_buffer("sin", torch::sin(angle));
}

torch::Tensor RopeImpl::forward(const torch::Tensor& x, std::int64_t first) {
  const std::int64_t tokens = x.size(2);
  return rotate(x, cos_.narrow(0, first, tokens), sin_.narrow(0, first, tokens));
}

}  // namespace bench::model
