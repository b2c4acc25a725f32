#pragma once

#include "model/kernels/weight_rows.h"

namespace bench::model {

/// Tokens for products with whole-number weights, a row for each: x ~ scale * q with q in -32639 .. 32639, fine enough
/// that only the weights' rounding shows. Made by prepare_token.
struct WholeTokens {
  std::int64_t tokens;
  const std::int8_t* numbers;  // [tokens, 2 * padded] bytes; their order is a matter of the instruction set
  const float* scales;         // [tokens]
  const float* sums;           // [tokens, padded / 64], of q in each group of columns
};

/// One token: x [columns] into numbers [2 * padded] and sums [padded / 64]. Returns the scale.
float prepare_token(const float* x, std::int64_t columns, std::int8_t* numbers, float* sums);

/// y[t * y_stride + r] = sum over columns of weight[r] * x[t], for rows first <= r < last of kInt8 or kInt4 weights and
/// every token. A group's whole numbers are added exactly, groups in fp32. Reads each weight once, whatever the number
/// of tokens; a token's numbers do not depend on the other tokens or on the split into rows.
void whole_products(const WeightRows& weight, const WholeTokens& x, std::int64_t first, std::int64_t last, float* y,
                    std::int64_t y_stride);

}  // namespace bench::model
