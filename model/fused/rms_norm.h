#pragma once

#include "model/tensor.h"

namespace bench::model {

/// rms_norm in one pass over x in each direction; keeps x and one number a row for the backward pass. x [..., C] fp32
/// or bf16 on the CPU, weight [C].
torch::Tensor fused_rms_norm(const torch::Tensor& x, const torch::Tensor& weight, double eps);

}  // namespace bench::model
