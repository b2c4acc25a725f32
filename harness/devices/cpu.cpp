#include "harness/devices/backends.h"

#include <ATen/cpu/Utils.h>

namespace bench::harness {

namespace {

/// Without these instructions oneDNN has no bf16 product, and LibTorch falls back to one that is 8 times slower than
/// fp32.
bool has_bf16_products() {
  const auto capabilities = at::cpu::get_cpu_capabilities();
  for (const char* name : {"amx_bf16", "avx512_bf16"})
    if (const auto found = capabilities.find(name);
        found != capabilities.end() && found->second.isBool() && found->second.toBool())
      return true;
  return false;
}

}  // namespace

Device cpu_device() {
  return {"cpu", "the processor",     c10::DeviceType::CPU,   [] { return true; },    use_huge_pages,
          [] {}, peak_resident_bytes, current_resident_bytes, available_memory_bytes, has_bf16_products};
}

}  // namespace bench::harness
