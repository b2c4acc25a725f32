#pragma once

#include "model/kernels/element.h"
#include "model/kernels/gemv_quantized.h"
#include "model/kernels/weight_rows.h"
#include "model/quantized_weight.h"
#include "model/tensor.h"

#include <memory>
#include <vector>

namespace bench::model {

/// From this many tokens on, products of whole matrices (which reread nothing) are faster than rows for each token.
inline constexpr std::int64_t kManyTokens = 16;

WeightRows weight_rows(const torch::Tensor& weight);
WeightRows weight_rows(const QuantizedWeight& weight);

/// Tokens in the form that weights of some format need. x [tokens, columns] fp32 must stay while this object is used.
/// For bf16 weights the tokens are rounded to bf16, as they are between the plain path's products: half as many bytes
/// then pass through the first level of the cache beside the weights.
class PreparedTokens {
 public:
  PreparedTokens(const float* x, std::int64_t tokens, std::int64_t columns, WeightFormat format);
  std::int64_t count() const { return tokens_; }
  /// For weights in fp32 and bf16.
  const void* dense() const { return rounded_ ? rounded_.get() : static_cast<const void*>(x_); }
  /// For quantized weights.
  QuantizedTokens quantized() const { return {tokens_, numbers_.data(), scales_.data(), sums_.data()}; }

 private:
  std::int64_t tokens_;
  const float* x_;
  std::vector<std::int8_t> numbers_;
  std::unique_ptr<Bf16[]> rounded_;
  std::vector<float> scales_, sums_;
};

/// One product of a matrix with tokens: y[t * y_stride + row] for each token t and all `rows` rows of the matrix.
struct GemvTask {
  WeightRows weight;
  std::int64_t rows;
  float* y;
  std::int64_t y_stride;
};

/// Computes the products of several matrices with the same tokens, on all threads.
void gemv_all(const std::vector<GemvTask>& products, const PreparedTokens& x);

/// x W^T [..., rows] in x's dtype, for a weight of `rows` rows and x [..., columns]. Meant for fewer than kManyTokens
/// tokens.
torch::Tensor gemv(const torch::Tensor& x, const WeightRows& weight, std::int64_t rows);

}  // namespace bench::model
