#include "harness/devices/backends.h"
#include "model/fused/products.h"

namespace bench::harness {

Device cpu_device() {
  return {.name = "cpu",
          .meaning = "the processor",
          .type = c10::DeviceType::CPU,
          .available = [] { return true; },
          .prepare = use_huge_pages,
          .synchronize = [] {},
          .peak_bytes = peak_process_bytes,
          .current_bytes = current_process_bytes,
          .available_bytes = available_memory_bytes,
          .fast_bf16 = model::has_bf16_products,
          .mixed_dtype = "fp32",
          .decodes_in_bf16 = true,
          .has_kernels = true};
}

}  // namespace bench::harness
