#include "model/fused/weight_gradient.h"

#include "model/fused/accumulate.h"
#include "model/fused/transposed.h"

namespace bench::model {

torch::Tensor add_weight_gradient(const torch::Tensor& weight, const torch::Tensor& y_gradient,
                                  const torch::Tensor& x) {
  if (!weight.requires_grad()) return {};
  const torch::NoGradGuard no_grad;
  torch::Tensor sum = weight.grad();
  const bool same = y_gradient.scalar_type() == weight.scalar_type();
  if (sum.defined() && same) {
    sum.addmm_(y_gradient.t(), x);
    return {};
  }
  // bf16 products are up to twice as fast on a matrix that lies as they read it.
  const torch::Tensor gradient = at::mm(same ? y_gradient.t() : transposed(y_gradient), x);
  if (!sum.defined()) return gradient.to(weight.scalar_type());
  accumulate(sum, gradient);
  return {};
}

}  // namespace bench::model
