#include "harness/devices/backends.h"

#include <ATen/Context.h>

namespace bench::harness {

Device cuda_device() {
  return {"cuda",
          "an NVIDIA GPU, with a LibTorch built for CUDA",
          c10::DeviceType::CUDA,
          [] { return at::globalContext().hasCUDA(); },
          [] {},
          synchronize_accelerator,
          accelerator_peak_bytes,
          accelerator_current_bytes,
          accelerator_free_bytes,
          [] { return true; },
          /*max_tensor_bytes=*/0,
          /*pins_memory=*/true,
          /*fused_attention_gradient=*/true,
          /*queues_work=*/true};
}

}  // namespace bench::harness
