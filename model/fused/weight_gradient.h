#pragma once

#include "model/tensor.h"

namespace bench::model {

/// The gradient y_gradient^T x of a weight: y_gradient [N, out], x [N, in]. A weight that has a gradient already gets
/// it added in place, without a temporary of the weight's size where the dtypes allow, and the result is undefined,
/// which tells autograd that there is nothing left to add. Else the gradient itself, in the weight's dtype.
torch::Tensor add_weight_gradient(const torch::Tensor& weight, const torch::Tensor& y_gradient, const torch::Tensor& x);

}  // namespace bench::model
