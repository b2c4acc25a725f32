#include "harness/core/numbers.h"
#include "harness/devices/backends.h"

#include <algorithm>
#include <cstdlib>

#include <ATen/Context.h>
#include <ATen/detail/MPSHooksInterface.h>
#include <fmt/format.h>

namespace bench::harness {
namespace {

constexpr const char *kHighWatermark = "PYTORCH_MPS_HIGH_WATERMARK_RATIO",
                     *kLowWatermark = "PYTORCH_MPS_LOW_WATERMARK_RATIO";

/// The share of the recommended memory beyond which LibTorch refuses; 0 lifts the cap.
double high_watermark() {
  const char* ratio = std::getenv(kHighWatermark);
  return ratio ? parse_number(ratio).value_or(0) : 0;
}

/// The plan caps the process at 0.8 of the memory. LibTorch takes this as a share of what Metal recommends, which is 67
/// to 84 % of the memory. LibTorch's defaults exceed the RAM and would swap instead of failing. From the low watermark
/// on it gives unused memory back; one above the high watermark it refuses, and the user may have
/// set either.
void cap_memory() {
  ::setenv(kHighWatermark, "0.8", /*overwrite=*/0);
  const double high = high_watermark();
  const char* asked = std::getenv(kLowWatermark);
  const double low = asked ? parse_number(asked).value_or(0) : 0.7;
  if (!asked || (high > 0 && low > high))
    ::setenv(kLowWatermark, fmt::format("{}", high > 0 ? std::min(high, low) : low).c_str(), /*overwrite=*/1);
}

/// What the driver has given this process: heaps of tensors, and what Metal and MPSGraph took besides. LibTorch
/// compares this number with its cap.
std::int64_t driver_bytes() { return static_cast<std::int64_t>(at::detail::getMPSHooks().getDriverAllocatedMemory()); }

/// The driver's count is that of now, which has no peak: after training it is near it, since heaps are kept.
std::vector<MemoryPart> peak_parts() {
  std::vector<MemoryPart> parts = accelerator_peak_parts();
  parts.push_back({"driver_now", {driver_bytes(), ""}});
  parts.push_back({"footprint", peak_process_bytes()});
  return parts;
}

/// The memory that the machine has free, but no more than the cap leaves: beyond the cap LibTorch refuses, however much
/// is free.
MemoryReading available_bytes() {
  const double share = high_watermark();
  const MemoryReading of_machine = available_memory_bytes();
  if (share <= 0 || !of_machine) return of_machine;  // 0 lifts the cap
  const double cap = share * static_cast<double>(at::detail::getMPSHooks().getRecommendedMaxMemory());
  const std::int64_t left = static_cast<std::int64_t>(cap) - driver_bytes();
  return {std::min(of_machine.bytes, std::max<std::int64_t>(left, 0)), ""};
}

}  // namespace

Device mps_device() {
  return {.name = "mps",
          .meaning = "the GPU of an Apple silicon Mac",
          .type = c10::DeviceType::MPS,
          .available = [] { return at::globalContext().hasMPS(); },
          .prepare = cap_memory,
          .synchronize = synchronize_accelerator,
          .peak_bytes = peak_process_bytes,  // GPU and processor share the memory: what a person sees is the footprint
          .peak_parts = peak_parts,
          .empty_cache = empty_accelerator_cache,
          .current_bytes = current_process_bytes,
          .available_bytes = available_bytes,
          // An M4 multiplies bf16 no faster than fp32, but no slower either, and bf16 halves the memory.
          .fast_bf16 = [] { return true; },
          .bf16_like_fp32 = true,
          .has_device_kernels = true,
          .heap_bytes = std::int64_t{1} << 30,        // kXLargeHeap in ATen/mps/MPSAllocator.h
          .max_tensor_bytes = std::int64_t{1} << 32,  // pytorch/pytorch issues 149325 and 197636
          .fused_attention_gradient = false,
          .queues_work = true,
          .needs_selftest = true};
}

}  // namespace bench::harness
