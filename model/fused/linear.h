#pragma once

#include "model/tensor.h"

namespace bench::model {

/// A weight and its value in the dtype that products are computed in, which may be the same tensor.
struct Weight {
  torch::Tensor master, in_compute;
};

/// y = x W^T like torch::linear, with the gradient of the weight added in place (add_weight_gradient). x [..., in] in
/// in_compute's dtype, weight [out, in].
torch::Tensor fused_linear(const torch::Tensor& x, const Weight& weight);

}  // namespace bench::model
