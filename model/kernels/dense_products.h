#pragma once

#include "model/kernels/weight_rows.h"

namespace bench::model {

/// A token x [columns] in the order in which products with kBf16 weights take it: of each two vectors' columns first
/// the even, then the odd ones.
void split_pairs(const float* x, std::int64_t columns, float* to);

/// y[t * y_stride + r] = sum over columns of weight[r] * x[t], for x [tokens, columns] in fp32 (for kBf16
/// by split_pairs), rows first <= r < last
/// of kFp32 or kBf16 weights and every token, added up in fp32. Reads each weight once, whatever the number of tokens;
/// a token's numbers do not depend on the other tokens or on the split into rows.
void dense_products(const WeightRows& weight, const float* x, std::int64_t tokens, std::int64_t first,
                    std::int64_t last, float* y, std::int64_t y_stride);

}  // namespace bench::model
