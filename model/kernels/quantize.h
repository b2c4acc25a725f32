#pragma once

#include "model/kernels/element.h"
#include "model/kernels/weight_rows.h"

namespace bench::model {

/// One row of `columns` fp32 weights as kInt8 stores it: q [padded]; returns its scale, largest magnitude / 127.
float quantize_row_int8(const float* weight, std::int64_t columns, std::int8_t* q);

/// One row as kInt4 stores it: q [padded / 2] bytes, scales [padded / 64]. Each group's scale is the one of a few near
/// (its value of largest magnitude) / -8 that leaves the smallest squared error, rounded to bf16 before it is used.
void quantize_row_int4(const float* weight, std::int64_t columns, std::uint8_t* q, Bf16* scales);

/// Row `row` of integers as fp32 or bf16 numbers: to [columns].
void dequantize_row(const WeightRows& weight, std::int64_t row, Element element, void* to);

}  // namespace bench::model
