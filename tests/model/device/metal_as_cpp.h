#pragma once

#include "model/device/metal_launch.h"

namespace bench::model {

/// The kernels of kernels.metal, compiled as C++ through a stand-in for Metal's header, on tensors in the CPU's memory.
/// They are launched as on a Mac, by model/device/metal_launch.h. One launch at a time.
const DeviceKernels& metal_kernels_as_cpp();

/// One launch of them, finished on return. The launch may ask for other groups than usual.
void launch_as_cpp(const MetalLaunch& launch);

}  // namespace bench::model
