#pragma once

#include "model/tensor.h"

#include <string>
#include <utility>

namespace bench::model {

/// Where the keys and values of a layer's tokens go: keys and values [B, G, capacity, D], the first new token at place
/// `position`. Views of a larger cache will do, as long as the D numbers of a head lie side by side.
struct CachePlace {
  torch::Tensor keys, values;
  std::int64_t position = 0;
};

/// The angles of the tokens' positions, so laid out that a head x [D] is turned in whole rows: it becomes x * cos +
/// swapped(x) * sin, where swapped(x) has x's halves in the other order. Made once; a step takes its rows as views.
struct RotationTables {
  /// [T, D] fp32: each row cos, cos and -sin, sin.
  torch::Tensor cos, sin;

  /// The rows of positions first .. first + tokens - 1, as views.
  RotationTables rows(std::int64_t first, std::int64_t tokens) const {
    return {cos.narrow(0, first, tokens), sin.narrow(0, first, tokens)};
  }
};
/// The tables for what model/rope.h's rotate() takes: cos and sin [T, D / 2] fp32. Cost: 3 launches.
RotationTables rotation_tables(const torch::Tensor& cos, const torch::Tensor& sin);

/// The parts of a decoder block that LibTorch computes in many operators, and a kernel of ours in one launch. On a
/// device where starting an operator costs more than its work, these launches are what decoding waits for. All tensors
/// are contiguous (the cache's apart) and have one dtype, fp32, fp16 or bf16; the arithmetic inside is fp32. None of
/// them has a gradient.
struct DeviceKernels {
  /// Residual and norm: sum = x + branch, rounded to the dtype. Returns sum and rms_norm(sum) * weight. x and branch
  /// [N, C], weight [C].
  std::pair<torch::Tensor, torch::Tensor> (*add_rms_norm)(const torch::Tensor& x, const torch::Tensor& branch,
                                                          const torch::Tensor& weight, double eps);
  /// Rotates queries and keys, and writes keys and values into the cache. qkv [B, T, (H + 2G) * D] has the heads of q,
  /// then of k, then of v. The tables have the rows of the T positions. Returns the queries [B, H, T, D], contiguous.
  torch::Tensor (*rotate_into_cache)(const torch::Tensor& qkv, const RotationTables& tables, const CachePlace& place);
  /// silu(gate) * up. gate_and_up [N, 2 * F]: in each row F of gate, then F of up. Returns [N, F].
  torch::Tensor (*swiglu)(const torch::Tensor& gate_and_up);
};

/// LibTorch's operators, in as few launches as they allow: 2 for add_rms_norm, 7 for rotate_into_cache, 2 for swiglu.
/// They work on every device.
const DeviceKernels& operator_kernels();

/// Our kernels for tensors on the device of x: those in Metal for Apple's GPUs. Where there are none, or where they
/// don't compile or give other numbers than operator_kernels(), these are operator_kernels().
const DeviceKernels& device_kernels(const torch::Tensor& x);
/// What there is to say about device_kernels() for x: why there are none, or "" if our own are used.
std::string why_no_device_kernels(const torch::Tensor& x);

/// While an object of this class lives, device_kernels() returns `kernels` for every tensor. For tests.
class AssumedDeviceKernels {
 public:
  explicit AssumedDeviceKernels(const DeviceKernels& kernels);
  ~AssumedDeviceKernels();
  AssumedDeviceKernels(const AssumedDeviceKernels&) = delete;
  AssumedDeviceKernels& operator=(const AssumedDeviceKernels&) = delete;

 private:
  const DeviceKernels* const before_;
};

}  // namespace bench::model
