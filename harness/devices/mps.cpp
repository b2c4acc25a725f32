#include "harness/devices/backends.h"

#include <cstdlib>

#include <ATen/Context.h>

namespace bench::harness {
namespace {

/// The plan caps the process at 0.8 of the memory. The defaults exceed the RAM and would swap instead of failing.
void cap_memory() {
  ::setenv("PYTORCH_MPS_HIGH_WATERMARK_RATIO", "0.8", /*overwrite=*/0);
  ::setenv("PYTORCH_MPS_LOW_WATERMARK_RATIO", "0.7", /*overwrite=*/0);
}

}  // namespace

Device mps_device() {
  return {"mps", "the GPU of an Apple silicon Mac", c10::DeviceType::MPS, [] { return at::globalContext().hasMPS(); },
          cap_memory, synchronize_accelerator, accelerator_peak_bytes, accelerator_current_bytes,
          available_memory_bytes,
          // An M4 multiplies bf16 no faster than fp32, but no slower either, and it halves the memory.
          [] { return true; }, std::int64_t{1} << 32,  // pytorch/pytorch issues 149325 and 197636
          /*pins_memory=*/false, /*fused_attention_gradient=*/false, /*queues_work=*/true};
}

}  // namespace bench::harness
