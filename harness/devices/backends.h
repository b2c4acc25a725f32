#pragma once

#include "harness/devices/device.h"

namespace bench::harness {

Device cpu_device();
Device mps_device();
Device cuda_device();

/// What mps and cuda share: LibTorch's interface to whichever accelerator it was built for.
void synchronize_accelerator();
std::int64_t accelerator_peak_bytes();
std::int64_t accelerator_current_bytes();
std::int64_t accelerator_free_bytes();

/// Makes the C library give a tensor's memory back to the system when it is freed. Else its heap keeps holes between
/// tensors of different sizes, 4-19 % of a training's memory. Before the first tensor.
void give_back_freed_tensors();

/// Most resident memory of this process so far, in bytes.
std::int64_t peak_resident_bytes();
/// Resident memory of this process now, in bytes.
std::int64_t current_resident_bytes();
/// Memory that could be allocated without swapping, in bytes.
std::int64_t available_memory_bytes();

}  // namespace bench::harness
