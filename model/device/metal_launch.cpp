#include "model/device/metal_launch.h"

#include <ATen/record_function.h>

namespace bench::model {
namespace {

std::uint64_t size(std::int64_t n) { return static_cast<std::uint64_t>(n); }

/// The kernel for this element type, by the name that kernels.metal gives it.
std::string host_name(const std::string& kernel, torch::Dtype element) {
  switch (element) {
    case torch::kFloat32:
      return kernel + "_float";
    case torch::kFloat16:
      return kernel + "_half";
    case torch::kBFloat16:
      return kernel + "_bfloat";
    default:
      TORCH_CHECK(false, kernel, ": no kernel for ", element);
  }
}

void check_contiguous(const char* kernel, const torch::Tensor& like, std::initializer_list<torch::Tensor> tensors) {
  for (const torch::Tensor& x : tensors)
    TORCH_CHECK(x.is_contiguous() && x.scalar_type() == like.scalar_type() && x.device() == like.device(), kernel,
                ": tensors must be contiguous and of one dtype and device, not ", x.scalar_type(), " ", x.sizes(),
                " with strides ", x.strides(), " on ", x.device());
}

void check_cache(const CachePlace& place, const torch::Tensor& qkv) {
  for (const torch::Tensor& cache : {place.keys, place.values})
    TORCH_CHECK(cache.dim() == 4 && cache.sizes() == place.keys.sizes() && cache.stride(3) == 1 &&
                    cache.size(3) % 2 == 0 && cache.size(0) == qkv.size(0) && place.position >= 0 &&
                    place.position + qkv.size(1) <= cache.size(2) && cache.scalar_type() == qkv.scalar_type(),
                "rotate_into_cache: the cache ", cache.sizes(), " with strides ", cache.strides(), " has no place for ",
                qkv.sizes(), " at ", place.position);
}

void append_strides(std::vector<std::uint64_t>& sizes, const torch::Tensor& cache) {
  for (const std::int64_t dimension : {0, 1, 2}) sizes.push_back(size(cache.stride(dimension)));
}

}  // namespace

MetalLaunch add_rms_norm_launch(const torch::Tensor& x, const torch::Tensor& branch, const torch::Tensor& weight,
                                double eps, const torch::Tensor& sum, const torch::Tensor& normed) {
  check_contiguous("add_rms_norm", x, {x, branch, weight, sum, normed});
  TORCH_CHECK(x.dim() == 2 && x.sizes() == branch.sizes() && weight.dim() == 1 && weight.size(0) == x.size(1),
              "add_rms_norm: sizes ", x.sizes(), ", ", branch.sizes(), ", ", weight.sizes());
  return {host_name("add_rms_norm", x.scalar_type()),
          {x, branch, weight, sum, normed},
          {size(x.size(1))},
          static_cast<float>(eps),
          {size(x.size(0)) * kRowThreads, 1, 1},
          {kRowThreads, 1, 1}};
}

MetalLaunch rotate_into_cache_launch(const torch::Tensor& qkv, const RotationTables& tables, const CachePlace& place,
                                     const torch::Tensor& queries) {
  check_contiguous("rotate_into_cache", qkv, {qkv, queries});
  check_contiguous("rotate_into_cache", tables.cos, {tables.cos, tables.sin});
  check_cache(place, qkv);
  const std::int64_t batch = queries.size(0), heads = queries.size(1), tokens = queries.size(2), dim = queries.size(3);
  const std::int64_t kv_heads = place.keys.size(1), all_heads = heads + 2 * kv_heads;
  TORCH_CHECK(qkv.size(2) == all_heads * dim && tables.cos.sizes() == torch::IntArrayRef({tokens, dim}) &&
                  tables.sin.sizes() == tables.cos.sizes() && tables.cos.scalar_type() == torch::kFloat32,
              "rotate_into_cache: sizes ", qkv.sizes(), ", tables ", tables.cos.sizes(), ", cache ",
              place.keys.sizes());
  std::vector<std::uint64_t> sizes{size(batch),    size(tokens),  size(heads),
                                   size(kv_heads), size(dim / 2), size(place.position)};
  append_strides(sizes, place.keys);
  append_strides(sizes, place.values);
  return {host_name("rotate_into_cache", qkv.scalar_type()),
          {qkv, tables.cos, tables.sin, queries, place.keys, place.values},
          sizes,
          std::nullopt,
          {size(dim / 2), size(all_heads), size(batch * tokens)},
          {32, 8, 1}};
}

MetalLaunch swiglu_launch(const torch::Tensor& gate_and_up, const torch::Tensor& product) {
  check_contiguous("swiglu", gate_and_up, {gate_and_up, product});
  const std::int64_t rows = product.size(0), columns = product.size(1);
  return {host_name("swiglu", gate_and_up.scalar_type()),
          {gate_and_up, product},
          {size(rows), size(columns)},
          std::nullopt,
          {size(columns), size(rows), 1},
          {256, 1, 1}};
}

std::pair<torch::Tensor, torch::Tensor> launch_add_rms_norm(MetalLauncher launch, const torch::Tensor& x,
                                                            const torch::Tensor& branch, const torch::Tensor& weight,
                                                            double eps) {
  const torch::Tensor sum = at::empty_like(x), normed = at::empty_like(x);
  RECORD_FUNCTION("bench::add_rms_norm", (std::vector<c10::IValue>{x, branch, weight, eps}));
  if (x.numel() > 0) launch(add_rms_norm_launch(x, branch, weight, eps, sum, normed));
  return {sum, normed};
}

torch::Tensor launch_rotate_into_cache(MetalLauncher launch, const torch::Tensor& qkv, const RotationTables& tables,
                                       const CachePlace& place) {
  const std::int64_t dim = place.keys.size(3), heads = qkv.size(2) / dim - 2 * place.keys.size(1);
  const torch::Tensor queries = at::empty({qkv.size(0), heads, qkv.size(1), dim}, qkv.options());
  RECORD_FUNCTION("bench::rotate_into_cache",
                  (std::vector<c10::IValue>{qkv, tables.cos, tables.sin, place.keys, place.values, place.position}));
  if (qkv.numel() > 0) launch(rotate_into_cache_launch(qkv, tables, place, queries));
  return queries;
}

torch::Tensor launch_swiglu(MetalLauncher launch, const torch::Tensor& gate_and_up) {
  TORCH_CHECK(gate_and_up.dim() == 2 && gate_and_up.size(1) % 2 == 0, "swiglu: sizes ", gate_and_up.sizes());
  const torch::Tensor product = at::empty({gate_and_up.size(0), gate_and_up.size(1) / 2}, gate_and_up.options());
  RECORD_FUNCTION("bench::swiglu", (std::vector<c10::IValue>{gate_and_up}));
  if (product.numel() > 0) launch(swiglu_launch(gate_and_up, product));
  return product;
}

}  // namespace bench::model
