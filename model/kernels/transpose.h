#pragma once

#include "model/kernels/element.h"

#include <cstdint>

namespace bench::model {

/// to [columns, rows] = the transpose of from [rows, columns], both row-major and of any 16-bit type. Only columns
/// first .. last - 1 of `from` are transposed: these are rows first .. last - 1 of `to`.
void transpose_columns(const std::uint16_t* from, std::int64_t rows, std::int64_t columns, std::int64_t first,
                       std::int64_t last, std::uint16_t* to);

/// sum [columns, rows] += the transpose of from [rows, columns], for columns first .. last - 1 of `from` only.
void add_transposed_columns(const Bf16* from, std::int64_t rows, std::int64_t columns, std::int64_t first,
                            std::int64_t last, float* sum);

}  // namespace bench::model
