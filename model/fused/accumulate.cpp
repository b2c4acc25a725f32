#include "model/fused/accumulate.h"

#include "model/fused/rows.h"
#include "model/kernels/convert.h"

namespace bench::model {

void accumulate(const torch::Tensor& sum, const torch::Tensor& addend) {
  TORCH_CHECK(sum.dim() == 2 && sum.sizes() == addend.sizes(), "accumulate: needs two matrices of one shape");
  const bool by_kernel = kernels_serve(sum) && kernels_serve(addend) && sum.scalar_type() == torch::kFloat32 &&
                         addend.scalar_type() != torch::kFloat32 && sum.stride(1) == 1 && addend.is_contiguous();
  if (!by_kernel) {
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
