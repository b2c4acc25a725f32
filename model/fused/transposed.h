#pragma once

#include "model/tensor.h"

namespace bench::model {

/// A copy of matrix [rows, columns] that lies in memory as its transpose [columns, rows].
torch::Tensor transposed(const torch::Tensor& matrix);

}  // namespace bench::model
