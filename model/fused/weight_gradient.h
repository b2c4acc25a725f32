#pragma once

#include "model/tensor.h"

namespace bench::model {

/// Computes the gradient y_gradient^T x of a weight, for y_gradient [N, out] and x [N, in]. If the weight has a
/// gradient already, the new one is added to it in place, without a temporary of the weight's size where the dtypes
/// allow. The result is then undefined, which tells autograd that there is nothing left to add. Otherwise the result is
/// the gradient itself, in the weight's dtype.
torch::Tensor add_weight_gradient(const torch::Tensor& weight, const torch::Tensor& y_gradient, const torch::Tensor& x);

/// Does the same with `rows` rows of y_gradient and x at a time. add_weight_gradient() calls it where large products
/// are not to be trusted.
torch::Tensor add_weight_gradient_by_rows(const torch::Tensor& weight, const torch::Tensor& y_gradient,
                                          const torch::Tensor& x, std::int64_t rows);

}  // namespace bench::model
