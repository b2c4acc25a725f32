#pragma once

#include "model/kernels/weight_rows.h"

namespace bench::model {

/// Tokens for products with quantized weights, a row for each token: x ~ scale * q. Made by prepare_token.
struct QuantizedTokens {
  std::int64_t tokens;
  const std::int8_t* numbers;  // [tokens, 2 * padded] bytes; their order depends on the instruction set
  const float* scales;         // [tokens, padded / 64], of each group of columns
  const float* sums;           // [tokens, padded / 64], of q in each group
};

/// Prepares one token x [columns] for weights of the given format: writes numbers [2 * padded], scales and sums [padded
/// / 64]. For kInt8, q is in -32639 .. 32639, with one scale for all groups. For kInt4, q is in -127 .. 127, with a
/// scale for each group. Both are so fine that little but the weights' own rounding shows in the result.
void prepare_token(WeightFormat format, const float* x, std::int64_t columns, std::int8_t* numbers, float* scales,
                   float* sums);

/// y[t * y_stride + r] = sum over columns of weight[r] * x[t], for rows first <= r < last of kInt8 or kInt4 weights and
/// every token. The integers of a group are added exactly, and the groups' sums in fp32. Reads each weight once,
/// whatever the number of tokens. A token's numbers depend neither on the other tokens nor on the split into rows.
void gemv_quantized(const WeightRows& weight, const QuantizedTokens& x, std::int64_t first, std::int64_t last, float* y,
                    std::int64_t y_stride);

}  // namespace bench::model
