#pragma once

#include "model/tensor.h"

#include <functional>
#include <optional>

namespace bench::model {

/// True where this processor has matrix products of bf16 in hardware (AMX, AVX-512 BF16). Elsewhere LibTorch's are
/// many times slower than those of fp32; ARCHITECTURE.md has figures.
bool has_bf16_products();

/// While it lives, has_bf16_products() says `has` whatever the processor, and what it said before afterwards: tests go
/// both ways on every machine.
class AssumedBf16Products {
 public:
  explicit AssumedBf16Products(bool has);
  ~AssumedBf16Products();
  AssumedBf16Products(const AssumedBf16Products&) = delete;
  AssumedBf16Products& operator=(const AssumedBf16Products&) = delete;

 private:
  const std::optional<bool> before_;
};

/// True for bf16 on a processor without products of it.
bool lacks_products(const torch::Tensor& x);

/// True where widening operands to fp32 and rounding the result pays: for kManyTokens rows of bf16 or more, on a
/// processor without bf16 products. x [..., columns].
bool better_in_fp32(const torch::Tensor& x);

/// How a product of tokens with a weight is made.
enum class ProductWay {
  kLibTorch,
  kFp32,  // by widened copies of x and of some of the weight's rows at a time
  kRows,  // by decoding's kernel, row by row of the weight: meant for fewer than kManyTokens tokens
};

/// The fastest for x [..., columns].
ProductWay product_way(const torch::Tensor& x);

/// x W^T in x's dtype, without a gradient of its own. x [..., columns], weight [rows, columns] of x's dtype.
torch::Tensor linear_product(const torch::Tensor& x, const torch::Tensor& weight, ProductWay way);
inline torch::Tensor linear_product(const torch::Tensor& x, const torch::Tensor& weight) {
  return linear_product(x, weight, product_way(x));
}

/// x W^T in fp32, rounded to x's dtype at the end, for a weight of `rows` rows, of which in_fp32(first, count) gives
/// some [count, columns]. x [..., columns].
torch::Tensor linear_product_in_fp32(const torch::Tensor& x, std::int64_t rows,
                                     const std::function<torch::Tensor(std::int64_t, std::int64_t)>& in_fp32);

}  // namespace bench::model
