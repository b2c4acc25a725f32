#pragma once

#include "model/device/kernels.h"

#include <array>
#include <optional>
#include <vector>

namespace bench::model {

/// One launch of a kernel in kernels.metal. The buffers get the indices 0, 1, ... in this order: the tensors, the sizes
/// as one buffer, and eps where there is one.
struct MetalLaunch {
  std::string kernel;  // the host's name of it, such as "swiglu_half"
  std::vector<torch::Tensor> tensors;
  std::vector<std::uint64_t> sizes;
  std::optional<float> eps;
  /// Threads in all and in a threadgroup, by x, y and z. The groups at the edges of the grid may be smaller.
  std::array<std::uint64_t, 3> grid, group;
};

/// The threads of add_rms_norm's groups, whole SIMD groups of 32: four numbers each in a row of 1024.
inline constexpr std::uint64_t kRowThreads = 256;

/// The launches that compute what DeviceKernels says, for outputs that were made before. They check sizes, strides and
/// dtypes, since a kernel can't.
MetalLaunch add_rms_norm_launch(const torch::Tensor& x, const torch::Tensor& branch, const torch::Tensor& weight,
                                double eps, const torch::Tensor& sum, const torch::Tensor& normed);
MetalLaunch rotate_into_cache_launch(const torch::Tensor& qkv, const RotationTables& tables, const CachePlace& place,
                                     const torch::Tensor& queries);
MetalLaunch swiglu_launch(const torch::Tensor& gate_and_up, const torch::Tensor& product);

/// Makes the outputs, tells LibTorch's RecordFunction of one operator ("bench::swiglu"), and launches by `launch`.
using MetalLauncher = void (*)(const MetalLaunch&);
std::pair<torch::Tensor, torch::Tensor> launch_add_rms_norm(MetalLauncher launch, const torch::Tensor& x,
                                                            const torch::Tensor& branch, const torch::Tensor& weight,
                                                            double eps);
torch::Tensor launch_rotate_into_cache(MetalLauncher launch, const torch::Tensor& qkv, const RotationTables& tables,
                                       const CachePlace& place);
torch::Tensor launch_swiglu(MetalLauncher launch, const torch::Tensor& gate_and_up);

/// DeviceKernels whose launches go to `kLaunch`.
template <MetalLauncher kLaunch>
const DeviceKernels& kernels_launched_by() {
  static const DeviceKernels kernels{
      [](const torch::Tensor& x, const torch::Tensor& branch, const torch::Tensor& weight, double eps) {
        return launch_add_rms_norm(kLaunch, x, branch, weight, eps);
      },
      [](const torch::Tensor& qkv, const RotationTables& tables, const CachePlace& place) {
        return launch_rotate_into_cache(kLaunch, qkv, tables, place);
      },
      [](const torch::Tensor& gate_and_up) { return launch_swiglu(kLaunch, gate_and_up); }};
  return kernels;
}

}  // namespace bench::model
