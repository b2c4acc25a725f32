#pragma once

#include "model/device/kernels.h"

namespace bench::model {

/// Computes the same with both sets of kernels on `device`, in fp32, fp16 and bf16, with even and odd sizes, several
/// sequences and tokens, and caches that are views. Returns "" where they agree, else the first difference, such as
/// "swiglu in Half [5, 602]: product: 3.2 where 0.2 is expected, 7 of 1505 wrong". The numbers are the same on every
/// call. Numbers agree when they are no more apart than two neighbours of the dtype, twice over; in fp32, than 1e-5.
/// That is of a number, or of the largest where that is 16 times larger.
std::string kernels_differ(const DeviceKernels& ours, const DeviceKernels& theirs, const torch::Device& device);

}  // namespace bench::model
