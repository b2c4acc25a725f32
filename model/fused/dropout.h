#pragma once

#include "model/tensor.h"

namespace bench::model {

/// residual + dropout(x) in one pass; which elements are dropped follows from one number drawn from LibTorch's CPU
/// generator, so that the backward pass needs no mask. Both fp32 or bf16 on the CPU.
torch::Tensor fused_dropout_add(const torch::Tensor& residual, const torch::Tensor& x, double probability);
/// dropout(x) in the same way.
torch::Tensor fused_dropout(const torch::Tensor& x, double probability);

}  // namespace bench::model
