#pragma once

#include "model/tensor.h"

namespace bench::model {

/// sum += addend, both [rows, columns] and without a gradient. bf16 is added to fp32 in one pass on the CPU, where
/// LibTorch's add_ makes an fp32 copy of the addend first.
void accumulate(const torch::Tensor& sum, const torch::Tensor& addend);

}  // namespace bench::model
