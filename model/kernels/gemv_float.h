#pragma once

#include "model/kernels/weight_rows.h"

namespace bench::model {

/// y[t * y_stride + r] = sum over columns of weight[r] * x[t], for rows first <= r < last of kFp32 or kBf16 weights and
/// every token of x [tokens, columns]. x is stored like the weights; sums are in fp32. Reads each weight once, whatever
/// the number of tokens. A token's numbers depend neither on the other tokens nor on the split into rows.
void gemv_float(const WeightRows& weight, const void* x, std::int64_t tokens, std::int64_t first, std::int64_t last,
                float* y, std::int64_t y_stride);

}  // namespace bench::model
