#include "harness/devices/backends.h"
#include "model/fused/products.h"
#include "model/path.h"

namespace bench::harness {

Device portable_device() {
  return {.name = "portable",
          .meaning = "the processor, by LibTorch's operators alone: what mps and cuda compute, on any machine",
          .type = c10::DeviceType::CPU,
          .available = [] { return true; },
          .prepare =
              [] {
                use_huge_pages();
                model::set_path(model::Path::kPortable);
              },
          .synchronize = [] {},
          .peak_bytes = peak_process_bytes,
          .current_bytes = current_process_bytes,
          .available_bytes = available_memory_bytes,
          .fast_bf16 = model::has_bf16_products,
          .mixed_dtype = "fp32",
          .fused_attention_gradient = false};
}

}  // namespace bench::harness
