#include "model/fused/weight_gradient.h"

#include "model/fused/accumulate.h"
#include "model/fused/rows.h"
#include "model/fused/transposed.h"

#include <algorithm>

namespace bench::model {

namespace {

/// Returns y_gradient^T x. On the CPU, bf16 products are up to twice as fast on a matrix that lies in the order in
/// which they read it, so the narrower of the two matrices is transposed. Transposing x gives the result's transpose,
/// which our kernel adds without a copy.
torch::Tensor product(const torch::Tensor& y_gradient, const torch::Tensor& x) {
  if (!has_kernels(x)) return at::mm(y_gradient.t(), x);
  if (x.size(1) < y_gradient.size(1)) return at::mm(transposed(x), y_gradient).t();
  return at::mm(transposed(y_gradient), x);
}

}  // namespace

torch::Tensor add_weight_gradient(const torch::Tensor& weight, const torch::Tensor& y_gradient,
                                  const torch::Tensor& x) {
  if (!weight.requires_grad()) return {};
  // A sum over 32,767 products or more is silently wrong on an M1 and an M2 (pytorch/pytorch#193487). The products here
  // are summed over the tokens of a micro-batch. Those of the head are summed over the vocabulary, which is not
  // divided: the plan's has 32,000 tokens.
  constexpr std::int64_t kMostRows = 16384;
  if (x.is_mps() && x.size(0) > kMostRows) return add_weight_gradient_by_rows(weight, y_gradient, x, kMostRows);
  const torch::NoGradGuard no_grad;
  torch::Tensor sum = weight.grad();
  const bool same = y_gradient.scalar_type() == weight.scalar_type();
  if (sum.defined() && same) {
    sum.addmm_(y_gradient.t(), x);
    return {};
  }
  const torch::Tensor gradient = same ? at::mm(y_gradient.t(), x) : product(y_gradient, x);
  if (!sum.defined()) return gradient.to(weight.scalar_type());
  accumulate(sum, gradient);
  return {};
}

torch::Tensor add_weight_gradient_by_rows(const torch::Tensor& weight, const torch::Tensor& y_gradient,
                                          const torch::Tensor& x, std::int64_t rows) {
  torch::Tensor gradient;  // undefined while all has been added to the weight's own
  for (std::int64_t first = 0; first < x.size(0); first += rows) {
    const std::int64_t count = std::min(rows, x.size(0) - first);
    const torch::Tensor part =
        add_weight_gradient(weight, y_gradient.narrow(0, first, count), x.narrow(0, first, count));
    if (part.defined()) gradient = gradient.defined() ? gradient.add_(part) : part;
  }
  return gradient;
}

}  // namespace bench::model
