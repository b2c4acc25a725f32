#pragma once

#include "model/kernels/weight_rows.h"

namespace bench::model {

/// The other side of the products, a row for each token: for weights in fp32 and bf16 `fp32` [tokens, columns]; for
/// whole-number weights `int16` [tokens, padded] with the token's scale in `scales`, made by to_int16.
struct TokenRows {
  std::int64_t tokens;
  const float* fp32;
  const std::int16_t* int16;
  const float* scales;
};

/// x ~ scale * q with q in -32767 .. 32767: fine enough that only the weights' rounding shows. x [n], q [padded].
/// Returns the scale.
float to_int16(const float* x, std::int64_t n, std::int16_t* q, std::int64_t padded);

/// y[t * y_stride + r] = sum over columns of weight[r] * x[t], for rows first <= r < last and every token, added up in
/// fp32 (whole numbers of a group exactly). Reads each weight once, whatever the number of tokens; a token's numbers do
/// not depend on the other tokens or on the split into rows.
void row_products(const WeightRows& weight, const TokenRows& x, std::int64_t first, std::int64_t last, float* y,
                  std::int64_t y_stride);

}  // namespace bench::model
