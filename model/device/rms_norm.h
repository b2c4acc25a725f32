#pragma once

#include "model/tensor.h"

namespace bench::model {

/// LibTorch's own operator for what rms_norm (model/rms_norm.h) does: one launch. Not every device has a gradient for
/// it. x [..., C] and weight [C] of one dtype.
torch::Tensor one_launch_rms_norm(const torch::Tensor& x, const torch::Tensor& weight, double eps);

/// Computes the same with a gradient, in few launches. Keeps x alone for the backward pass. x [..., C] of any dtype but
/// fp64, weight [C]; the arithmetic is fp32. For devices without kernels of ours.
torch::Tensor device_rms_norm(const torch::Tensor& x, const torch::Tensor& weight, double eps);

}  // namespace bench::model
