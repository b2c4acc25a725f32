#pragma once

#include "model/kernels/element.h"
#include "model/path.h"
#include "model/tensor.h"

#include <algorithm>
#include <vector>

#include <ATen/Parallel.h>

namespace bench::model {

/// True for tensors that this project's own code computes with: those on the CPU, unless the path is portable.
inline bool on_native_path(const torch::Tensor& x) { return x.is_cpu() && path() == Path::kNative; }

/// True for the elements that the kernels read and write: fp32 or bf16 on the CPU.
inline bool is_kernel_element(const torch::Tensor& x) {
  return x.is_cpu() && (x.scalar_type() == torch::kFloat32 || x.scalar_type() == torch::kBFloat16);
}

/// True where the kernels are to work. Elsewhere LibTorch's operators do the work.
inline bool has_kernels(const torch::Tensor& x) { return on_native_path(x) && is_kernel_element(x); }

inline Element element_of(const torch::Tensor& x) {
  TORCH_CHECK(is_kernel_element(x), "kernels work on fp32 and bf16 on the CPU, not on ", x.scalar_type(), " on ",
              x.device());
  return x.scalar_type() == torch::kBFloat16 ? Element::kBf16 : Element::kFp32;
}

/// x [..., C] as a matrix [N, C].
inline torch::Tensor as_matrix(const torch::Tensor& x) { return x.reshape({-1, x.size(-1)}); }

/// The shape of x [..., C] with `columns` in the place of C.
inline std::vector<std::int64_t> shape_with_columns(const torch::Tensor& x, std::int64_t columns) {
  std::vector<std::int64_t> shape = x.sizes().vec();
  shape.back() = columns;
  return shape;
}

/// Where row `row` of `columns` elements begins. x must be contiguous.
inline void* row_of(const torch::Tensor& x, std::int64_t row, std::int64_t columns) {
  return static_cast<char*>(x.data_ptr()) + row * columns * static_cast<std::int64_t>(x.element_size());
}

/// Calls f(first, last) for pieces of 0 .. rows - 1 on all threads. The split depends on the number of threads alone.
template <class F>
void in_parallel(std::int64_t rows, std::int64_t columns, const F& f) {
  constexpr std::int64_t kGrain = 65536;  // elements: tens of microseconds, or waking a thread costs more
  at::parallel_for(0, rows, std::max<std::int64_t>(1, kGrain / std::max<std::int64_t>(1, columns)), f);
}

/// Does the same for the columns 0 .. columns - 1 of `rows` rows of 16-bit elements. Each piece consists of whole cache
/// lines of a row.
template <class F>
void in_parallel_by_columns(std::int64_t rows, std::int64_t columns, const F& f) {
  constexpr std::int64_t kColumns = 64;
  in_parallel((columns + kColumns - 1) / kColumns, rows * kColumns,
              [&](std::int64_t first, std::int64_t last) { f(first * kColumns, std::min(columns, last * kColumns)); });
}

}  // namespace bench::model
