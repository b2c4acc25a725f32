#pragma once

#include "model/device/kernels.h"

namespace bench::model {

/// Computes the same with both sets of kernels on `device`, in fp32, fp16 and bf16, with even and odd sizes, several
/// sequences and tokens, and caches that are views. Returns "" where they agree, else the first difference, such as
/// "add_rms_norm in Half [5, 130]: normed differs by 3.1 at 0.2". The numbers are the same on every call. Two numbers
/// agree when they are two roundings to the dtype apart, in fp32 1e-5 of the number, or of the largest where that is
/// 16 times larger.
std::string kernels_differ(const DeviceKernels& ours, const DeviceKernels& theirs, const torch::Device& device);

}  // namespace bench::model
