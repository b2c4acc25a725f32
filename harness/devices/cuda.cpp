#include "harness/devices/backends.h"

#include <fstream>

#include <ATen/Context.h>

namespace bench::harness {
namespace {

/// What the kernel's module says; elsewhere the driver is of the system.
std::string driver_version() {
  std::string version;
  std::getline(std::ifstream("/sys/module/nvidia/version"), version);
  return version;
}

}  // namespace

Device cuda_device() {
  return {.name = "cuda",
          .meaning = "an NVIDIA GPU, with a LibTorch built for CUDA",
          .type = c10::DeviceType::CUDA,
          .available = [] { return at::globalContext().hasCUDA(); },
          .prepare = [] {},
          .synchronize = synchronize_accelerator,
          .peak_bytes = accelerator_peak_bytes,
          .peak_parts = accelerator_peak_parts,
          .empty_cache = empty_accelerator_cache,
          .current_bytes = accelerator_current_bytes,
          .available_bytes = accelerator_free_bytes,
          .fast_bf16 = [] { return true; },
          .names_machine = true,
          .pins_memory = true,
          .queues_work = true,
          .needs_selftest = true,
          .driver_version = driver_version};
}

}  // namespace bench::harness
