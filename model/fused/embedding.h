#pragma once

#include "model/tensor.h"

namespace bench::model {

/// Returns rows of `table` [V, C] in dtype `compute`: ids [B, T] -> [B, T, C]. If the table has a gradient already, the
/// backward pass adds to that gradient's rows in place instead of going through a second table.
torch::Tensor fused_embedding(const torch::Tensor& table, const torch::Tensor& ids, torch::Dtype compute);

}  // namespace bench::model
