#include "model/fused/transposed.h"

#include "model/fused/rows.h"
#include "model/kernels/transpose.h"

namespace bench::model {

torch::Tensor transposed(const torch::Tensor& matrix) {
  // LibTorch does this on one thread; results/README.md has the times of both.
  if (!matrix.is_cpu() || matrix.element_size() != 2 || !matrix.is_contiguous()) return matrix.t().contiguous();
  const std::int64_t rows = matrix.size(0), columns = matrix.size(1);
  const torch::Tensor result = torch::empty({columns, rows}, matrix.options());
  const auto* from = static_cast<const std::uint16_t*>(matrix.const_data_ptr());
  auto* to = static_cast<std::uint16_t*>(result.mutable_data_ptr());
  in_parallel_by_columns(rows, columns, [&](std::int64_t first, std::int64_t last) {
    transpose_columns(from, rows, columns, first, last, to);
  });
  return result;
}

}  // namespace bench::model
