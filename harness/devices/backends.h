#pragma once

#include "harness/devices/device.h"

namespace bench::harness {

Device cpu_device();
Device mps_device();
Device cuda_device();
Device portable_device();

/// What mps and cuda share. These use LibTorch's interface to whichever accelerator it was built for.
void synchronize_accelerator();
MemoryReading accelerator_peak_bytes();
/// Peaks of "allocated", what tensors take, and of "reserved", what the allocator has taken from the driver.
std::vector<MemoryPart> accelerator_peak_parts();
void empty_accelerator_cache();
MemoryReading accelerator_current_bytes();
MemoryReading accelerator_free_bytes();

/// Puts large tensors on huge pages, where the system has them: one page fault instead of 512. Call it before the first
/// tensor is made.
void use_huge_pages();

/// The most memory that this process has had so far, in bytes. On Linux it is the resident memory. On macOS it is the
/// physical footprint, which Activity Monitor shows as "Memory": there, compressed pages are no longer resident, and a
/// GPU's memory is part of the footprint.
MemoryReading peak_process_bytes();
/// The memory of this process now, in bytes, counted in the same way.
MemoryReading current_process_bytes();
/// The memory that could be allocated without swapping, in bytes.
MemoryReading available_memory_bytes();

}  // namespace bench::harness
