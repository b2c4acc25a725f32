#pragma once

#include "model/kernels/element.h"
#include "model/kernels/weight_rows.h"

namespace bench::model {

/// Quantises one row of `columns` fp32 weights as kInt8 stores it, into q [padded]. Returns the row's scale: largest
/// magnitude / 127.
float quantize_row_int8(const float* weight, std::int64_t columns, std::int8_t* q);

/// Quantises one row as kInt4 stores it, into q [padded / 2] bytes and scales [padded / 64]. Each group's scale is
/// chosen among a few values near (the group's value of largest magnitude) / -8: the one that leaves the smallest
/// squared error. It is rounded to bf16 before it is used.
void quantize_row_int4(const float* weight, std::int64_t columns, std::uint8_t* q, Bf16* scales);

/// Writes row `row` of a matrix of integers as fp32 or bf16 numbers into `to` [columns].
void dequantize_row(const WeightRows& weight, std::int64_t row, Element element, void* to);

}  // namespace bench::model
