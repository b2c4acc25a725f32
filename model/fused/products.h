#pragma once

#include "model/tensor.h"

#include <functional>
#include <optional>

namespace bench::model {

/// True where this processor has matrix products of bf16 in hardware (AMX, AVX-512 BF16). On other processors
/// LibTorch's bf16 products are many times slower than its fp32 products; ARCHITECTURE.md has figures.
bool has_bf16_products();

/// While an object of this class lives, has_bf16_products() returns `has`, whatever the processor. Afterwards it
/// returns again what it returned before. With this class tests can go both ways on every machine.
class AssumedBf16Products {
 public:
  explicit AssumedBf16Products(bool has);
  ~AssumedBf16Products();
  AssumedBf16Products(const AssumedBf16Products&) = delete;
  AssumedBf16Products& operator=(const AssumedBf16Products&) = delete;

 private:
  const std::optional<bool> before_;
};

/// True if x is bf16 on the native path, and this processor has no bf16 products.
bool lacks_products(const torch::Tensor& x);

/// True where it pays to widen the operands to fp32 and to round the result: for kManyTokens or more rows of bf16, on a
/// processor without bf16 products. x [..., columns].
bool better_in_fp32(const torch::Tensor& x);

/// How a product of tokens with a weight is made.
enum class ProductWay {
  kLibTorch,
  kFp32,  // in fp32, with widened copies of x and of some of the weight's rows at a time
  kRows,  // with decoding's kernel, one row of the weight after the other; for fewer than kManyTokens tokens
};

/// The fastest way for x [..., columns].
ProductWay product_way(const torch::Tensor& x);

/// x W^T in x's dtype, without a gradient of its own. x [..., columns], weight [rows, columns] of x's dtype.
torch::Tensor linear_product(const torch::Tensor& x, const torch::Tensor& weight, ProductWay way);
inline torch::Tensor linear_product(const torch::Tensor& x, const torch::Tensor& weight) {
  return linear_product(x, weight, product_way(x));
}

/// Returns x W^T, computed in fp32 and rounded to x's dtype at the end. The weight has `rows` rows; in_fp32(first,
/// count) returns `count` of them, from row `first` on, as [count, columns]. x [..., columns].
torch::Tensor linear_product_in_fp32(const torch::Tensor& x, std::int64_t rows,
                                     const std::function<torch::Tensor(std::int64_t, std::int64_t)>& in_fp32);

}  // namespace bench::model
