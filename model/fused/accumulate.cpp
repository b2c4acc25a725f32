#include "model/fused/accumulate.h"

#include "model/fused/rows.h"
#include "model/kernels/convert.h"
#include "model/kernels/transpose.h"

namespace bench::model {

namespace {

/// sum += turned^T, in pieces of whole cache lines of `turned`.
void accumulate_transposed(const torch::Tensor& sum, const torch::Tensor& turned) {
  constexpr std::int64_t kColumns = 64;
  const std::int64_t rows = turned.size(0), columns = turned.size(1);
  in_parallel((columns + kColumns - 1) / kColumns, rows * kColumns, [&](std::int64_t first, std::int64_t last) {
    add_transposed_columns(static_cast<const Bf16*>(turned.const_data_ptr()), rows, columns, first * kColumns,
                           std::min(columns, last * kColumns), sum.mutable_data_ptr<float>());
  });
}

}  // namespace

void accumulate(const torch::Tensor& sum, const torch::Tensor& addend) {
  TORCH_CHECK(sum.dim() == 2 && sum.sizes() == addend.sizes(), "accumulate: needs two matrices of one shape");
  const bool by_kernel = kernels_serve(sum) && kernels_serve(addend) && sum.scalar_type() == torch::kFloat32 &&
                         addend.scalar_type() != torch::kFloat32 && sum.stride(1) == 1;
  if (by_kernel && sum.is_contiguous() && addend.t().is_contiguous() && !addend.is_contiguous())
    return accumulate_transposed(sum, addend.t());
  if (!by_kernel || !addend.is_contiguous()) {
    sum.add_(addend);
    return;
  }
  const std::int64_t columns = addend.size(1);
  in_parallel(addend.size(0), columns, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r)
      add_widened(element_of(addend), row_of(addend, r, columns), sum.mutable_data_ptr<float>() + r * sum.stride(0),
                  columns);
  });
}

}  // namespace bench::model
