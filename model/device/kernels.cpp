#include "model/device/kernels.h"

#include "model/device/metal.h"
#include "model/device/rms_norm.h"

#include <atomic>

namespace bench::model {
namespace {

std::atomic<const DeviceKernels*> assumed{nullptr};

std::pair<torch::Tensor, torch::Tensor> add_rms_norm(const torch::Tensor& x, const torch::Tensor& branch,
                                                     const torch::Tensor& weight, double eps) {
  const torch::Tensor sum = x + branch;
  return {sum, one_launch_rms_norm(sum, weight, eps)};
}

torch::Tensor rotate_into_cache(const torch::Tensor& qkv, const RotationTables& tables, const CachePlace& place) {
  const std::int64_t batch = qkv.size(0), tokens = qkv.size(1), kv_heads = place.keys.size(1), dim = place.keys.size(3);
  const torch::Tensor all = qkv.view({batch, tokens, -1, dim});  // [B, T, H + 2G, D]
  const std::int64_t heads = all.size(2) - 2 * kv_heads;
  // One launch each: a table in fp32 widens the products. addcmul would join two of them, but runs through MPSGraph on
  // Apple's GPUs and rounds once where rotate() rounds twice.
  const torch::Tensor x = all.narrow(2, 0, heads + kv_heads);
  const torch::Tensor turned =
      (x * tables.cos.unsqueeze(1)).add_(x.roll(dim / 2, -1) * tables.sin.unsqueeze(1)).transpose(1, 2);
  const auto new_ones = [&](const torch::Tensor& cache) { return cache.narrow(2, place.position, tokens); };
  new_ones(place.keys).copy_(turned.narrow(1, heads, kv_heads));
  new_ones(place.values).copy_(all.narrow(2, heads + kv_heads, kv_heads).transpose(1, 2));
  return at::empty({batch, heads, tokens, dim}, qkv.options()).copy_(turned.narrow(1, 0, heads));
}

torch::Tensor swiglu(const torch::Tensor& gate_and_up) {
  const auto halves = gate_and_up.chunk(2, -1);
  return at::silu(halves[0]).mul_(halves[1]);
}

}  // namespace

RotationTables rotation_tables(const torch::Tensor& cos, const torch::Tensor& sin) {
  return {torch::cat({cos, cos}, -1), torch::cat({-sin, sin}, -1)};
}

const DeviceKernels& operator_kernels() {
  static const DeviceKernels kernels{add_rms_norm, rotate_into_cache, swiglu};
  return kernels;
}

const DeviceKernels& device_kernels(const torch::Tensor& x) {
  if (const DeviceKernels* kernels = assumed) return *kernels;
  const DeviceKernels* kernels = x.is_mps() ? metal_kernels(x.device()).kernels : nullptr;
  return kernels ? *kernels : operator_kernels();
}

std::string why_no_device_kernels(const torch::Tensor& x) {
  if (assumed) return "";
  return x.is_mps() ? metal_kernels(x.device()).missing : "no kernels of ours for " + x.device().str();
}

AssumedDeviceKernels::AssumedDeviceKernels(const DeviceKernels& kernels) : before_(assumed.exchange(&kernels)) {}
AssumedDeviceKernels::~AssumedDeviceKernels() { assumed = before_; }

}  // namespace bench::model
