#include "harness/devices/backends.h"

#include <ATen/Context.h>

namespace bench::harness {

Device cuda_device() {
  return {.name = "cuda",
          .meaning = "an NVIDIA GPU, with a LibTorch built for CUDA",
          .type = c10::DeviceType::CUDA,
          .available = [] { return at::globalContext().hasCUDA(); },
          .prepare = [] {},
          .synchronize = synchronize_accelerator,
          .peak_bytes = accelerator_peak_bytes,
          .current_bytes = accelerator_current_bytes,
          .available_bytes = accelerator_free_bytes,
          .fast_bf16 = [] { return true; },
          .names_machine = true,
          .pins_memory = true,
          .queues_work = true};
}

}  // namespace bench::harness
