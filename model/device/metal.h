#pragma once

#include "model/device/kernels.h"

namespace bench::model {

/// Either `kernels`, or why they are missing.
struct MetalKernels {
  const DeviceKernels* kernels = nullptr;
  std::string missing;
};

/// The kernels of model/device/kernels.metal for `device`, an Apple GPU. The first call compiles them and compares each
/// with operator_kernels() on the device, in fp32, fp16 and bf16. Threads may call it at once. Never throws: a kernel
/// that doesn't compile, doesn't run or computes other numbers is a reason why all are missing.
const MetalKernels& metal_kernels(const torch::Device& device);

/// The text of kernels.metal, from a file that cmake/embed_metal.cmake writes.
const char* metal_source();

}  // namespace bench::model
