#include "model/fused/accumulate.h"

#include "model/fused/rows.h"
#include "model/kernels/convert.h"
#include "model/kernels/transpose.h"

namespace bench::model {

namespace {

void add_rows(const torch::Tensor& sum, const torch::Tensor& addend) {
  const std::int64_t columns = addend.size(1);
  in_parallel(addend.size(0), columns, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r)
      add_widened(element_of(addend), row_of(addend, r, columns), sum.mutable_data_ptr<float>() + r * sum.stride(0),
                  columns);
  });
}

/// sum += turned^T.
void add_transposed(const torch::Tensor& sum, const torch::Tensor& turned) {
  const std::int64_t rows = turned.size(0), columns = turned.size(1);
  in_parallel_by_columns(rows, columns, [&](std::int64_t first, std::int64_t last) {
    add_transposed_columns(static_cast<const Bf16*>(turned.const_data_ptr()), rows, columns, first, last,
                           sum.mutable_data_ptr<float>());
  });
}

}  // namespace

void accumulate(const torch::Tensor& sum, const torch::Tensor& addend) {
  TORCH_CHECK(sum.dim() == 2 && sum.sizes() == addend.sizes(), "accumulate: needs two matrices of one shape");
  const bool bf16_to_fp32 = has_kernels(sum) && has_kernels(addend) && sum.scalar_type() == torch::kFloat32 &&
                            addend.scalar_type() == torch::kBFloat16;
  if (bf16_to_fp32 && sum.stride(1) == 1 && addend.is_contiguous())
    add_rows(sum, addend);
  else if (bf16_to_fp32 && sum.is_contiguous() && addend.t().is_contiguous())
    add_transposed(sum, addend.t());
  else
    sum.add_(addend);
}

}  // namespace bench::model
