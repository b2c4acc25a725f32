#include "model/fused/products.h"

#include "model/fused/gemv.h"
#include "model/fused/rows.h"

#include <algorithm>
#include <utility>

#include <ATen/cpu/Utils.h>

namespace bench::model {
namespace {

bool any_capability(std::initializer_list<const char*> names) {
  const auto capabilities = at::cpu::get_cpu_capabilities();
  for (const char* name : names)
    if (const auto found = capabilities.find(name);
        found != capabilities.end() && found->second.isBool() && found->second.toBool())
      return true;
  return false;
}

std::optional<bool> assumed_bf16_products;

}  // namespace

bool has_bf16_products() {
  static const bool has = any_capability({"amx_bf16", "avx512_bf16"});
  return assumed_bf16_products.value_or(has);
}

AssumedBf16Products::AssumedBf16Products(bool has) : before_(std::exchange(assumed_bf16_products, has)) {}
AssumedBf16Products::~AssumedBf16Products() { assumed_bf16_products = before_; }

bool lacks_products(const torch::Tensor& x) {
  return on_native_path(x) && x.scalar_type() == torch::kBFloat16 && !has_bf16_products();
}

bool better_in_fp32(const torch::Tensor& x) { return product_way(x) == ProductWay::kFp32; }

ProductWay product_way(const torch::Tensor& x) {
  if (!lacks_products(x)) return ProductWay::kLibTorch;
  return x.numel() / x.size(-1) >= kManyTokens ? ProductWay::kFp32 : ProductWay::kRows;
}

torch::Tensor linear_product(const torch::Tensor& x, const torch::Tensor& weight, ProductWay way) {
  if (way == ProductWay::kRows) return gemv(x, weight_rows(weight), weight.size(0));
  // x is passed as a matrix: on MPS a batch of single tokens [B, 1, C] was up to eight times slower.
  if (way == ProductWay::kLibTorch) return at::linear(as_matrix(x), weight).view(shape_with_columns(x, weight.size(0)));
  return linear_product_in_fp32(x, weight.size(0), [&](std::int64_t first, std::int64_t count) {
    return weight.narrow(0, first, count).to(torch::kFloat32);
  });
}

torch::Tensor linear_product_in_fp32(const torch::Tensor& x, std::int64_t rows,
                                     const std::function<torch::Tensor(std::int64_t, std::int64_t)>& in_fp32) {
  // This many rows of the models' weights fit into the third level of the cache, from where their product takes them.
  // And LibTorch's products with thousands of rows are slower than those with some hundred (results/README.md).
  constexpr std::int64_t kRows = 512;
  const torch::Tensor wide = as_matrix(x.to(torch::kFloat32));
  const torch::Tensor y = torch::empty({wide.size(0), rows}, x.options());
  for (std::int64_t first = 0; first < rows; first += kRows) {
    const std::int64_t count = std::min(kRows, rows - first);
    y.narrow(1, first, count).copy_(at::linear(wide, in_fp32(first, count)));
  }
  return y.view(shape_with_columns(x, rows));
}

}  // namespace bench::model
