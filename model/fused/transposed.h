#pragma once

#include "model/tensor.h"

namespace bench::model {

/// The transpose [columns, rows] of matrix [rows, columns], contiguous and without a gradient. It may share memory with
/// the matrix.
torch::Tensor transposed(const torch::Tensor& matrix);

}  // namespace bench::model
