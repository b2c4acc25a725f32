#pragma once

#include "model/tensor.h"

namespace bench::model {

/// Rows of `table` [V, C] in dtype `compute`; the gradient is added to the table's rows in place, when it has one,
/// instead of going through a second table. ids [B, T] -> [B, T, C].
torch::Tensor fused_embedding(const torch::Tensor& table, const torch::Tensor& ids, torch::Dtype compute);

}  // namespace bench::model
