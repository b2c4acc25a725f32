#pragma once

#include "harness/devices/device.h"

namespace bench::harness {

Device cpu_device();
Device mps_device();
Device cuda_device();

/// What mps and cuda share. These use LibTorch's interface to whichever accelerator it was built for.
void synchronize_accelerator();
MemoryReading accelerator_peak_bytes();
MemoryReading accelerator_current_bytes();
MemoryReading accelerator_free_bytes();

/// Puts large tensors on huge pages, where the system has them: one page fault instead of 512. Call it before the first
/// tensor is made.
void use_huge_pages();

/// The most resident memory that this process has had so far, in bytes.
MemoryReading peak_resident_bytes();
/// The resident memory of this process now, in bytes.
MemoryReading current_resident_bytes();
/// The memory that could be allocated without swapping, in bytes.
MemoryReading available_memory_bytes();

}  // namespace bench::harness
