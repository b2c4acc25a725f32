#include "harness/devices/backends.h"

#include <ATen/DeviceAccelerator.h>

namespace bench::harness {

void synchronize_accelerator() { at::accelerator::synchronizeDevice(at::accelerator::getDeviceIndex()); }

namespace {

/// The bytes of tensors, without what the caching allocator holds in reserve.
c10::CachingAllocator::Stat allocated() {
  constexpr auto kAll = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return at::accelerator::getDeviceStats(at::accelerator::getDeviceIndex()).allocated_bytes[kAll];
}

}  // namespace

MemoryReading accelerator_peak_bytes() { return {allocated().peak, ""}; }
MemoryReading accelerator_current_bytes() { return {allocated().current, ""}; }

MemoryReading accelerator_free_bytes() {
  return {static_cast<std::int64_t>(at::accelerator::getMemoryInfo(at::accelerator::getDeviceIndex()).first), ""};
}

}  // namespace bench::harness
