#include "harness/selftest/probes.h"
#include "model/device/kernels_agree.h"

namespace bench::harness {

Finding probe_device_kernels(const Device& device) {
  const torch::Tensor there = torch::empty({0}, torch::device(device.torch_device()));
  const std::string difference =
      model::kernels_differ(model::device_kernels(there), model::operator_kernels(), device.torch_device());
  if (!difference.empty()) return {1, 0, difference};
  const std::string missing = model::why_no_device_kernels(there);
  return {0, 0, missing.empty() ? "kernels of ours" : "LibTorch's operators: " + missing};
}

}  // namespace bench::harness
