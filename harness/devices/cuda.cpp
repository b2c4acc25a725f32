#include "harness/devices/backends.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <ATen/Context.h>

namespace bench::harness {
namespace {

/// What the driver says on Linux: its version and the GPUs, and which of them this process sees.
std::string driver_version() {
  namespace fs = std::filesystem;
  std::string text, line;
  if (std::getline(std::ifstream("/sys/module/nvidia/version"), line)) text = line;
  std::error_code none;
  for (const auto& gpu : fs::directory_iterator("/proc/driver/nvidia/gpus", none))
    if (std::getline(std::ifstream(gpu.path() / "information"), line)) text += ", " + line;
  if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES")) text += std::string(", visible: ") + visible;
  return text;
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
