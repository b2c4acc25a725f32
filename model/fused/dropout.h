#pragma once

#include "model/tensor.h"

namespace bench::model {

/// Returns residual + dropout(x), in one pass. Which elements are dropped follows from one number drawn from LibTorch's
/// CPU generator, so the backward pass needs no mask. residual and x are fp32 or bf16 on the CPU.
torch::Tensor fused_dropout_add(const torch::Tensor& residual, const torch::Tensor& x, double probability);
/// Returns dropout(x), computed in the same way.
torch::Tensor fused_dropout(const torch::Tensor& x, double probability);

}  // namespace bench::model
