#include "model/fused/products.h"

#include "model/fused/row_products.h"

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

}  // namespace

bool has_bf16_products() {
  static const bool has = any_capability({"amx_bf16", "avx512_bf16"});
  return has;
}

bool better_in_fp32(const torch::Tensor& x) { return product_way(x) == ProductWay::kFp32; }

ProductWay product_way(const torch::Tensor& x) {
  if (!x.is_cpu() || x.scalar_type() != torch::kBFloat16 || has_bf16_products()) return ProductWay::kLibTorch;
  return x.numel() / x.size(-1) >= kManyTokens ? ProductWay::kFp32 : ProductWay::kRows;
}

torch::Tensor linear_product(const torch::Tensor& x, const torch::Tensor& weight, ProductWay way) {
  if (way == ProductWay::kRows) return row_products(x, weight_rows(weight), weight.size(0));
  if (way == ProductWay::kLibTorch) return at::linear(x, weight);
  return at::linear(x.to(torch::kFloat32), weight.to(torch::kFloat32)).to(x.scalar_type());
}

}  // namespace bench::model
