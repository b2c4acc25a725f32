#include "harness/devices/backends.h"

#include <ATen/DeviceAccelerator.h>

namespace bench::harness {

void synchronize_accelerator() { at::accelerator::synchronizeDevice(at::accelerator::getDeviceIndex()); }

namespace {

constexpr auto kAll = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);

c10::CachingDeviceAllocator::DeviceStats stats() {
  return at::accelerator::getDeviceStats(at::accelerator::getDeviceIndex());
}

/// The bytes of tensors, without what the caching allocator holds in reserve.
c10::CachingAllocator::Stat allocated() { return stats().allocated_bytes[kAll]; }

}  // namespace

MemoryReading accelerator_peak_bytes() { return {allocated().peak, ""}; }
MemoryReading accelerator_current_bytes() { return {allocated().current, ""}; }

std::vector<MemoryPart> accelerator_peak_parts() {
  const auto now = stats();
  return {{"allocated", {now.allocated_bytes[kAll].peak, ""}}, {"reserved", {now.reserved_bytes[kAll].peak, ""}}};
}

void empty_accelerator_cache() { at::accelerator::emptyCache(); }

MemoryReading accelerator_free_bytes() {
  return {static_cast<std::int64_t>(at::accelerator::getMemoryInfo(at::accelerator::getDeviceIndex()).first), ""};
}

}  // namespace bench::harness
