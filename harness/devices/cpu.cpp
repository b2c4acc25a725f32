#include "harness/devices/backends.h"
#include "model/fused/products.h"

namespace bench::harness {

Device cpu_device() {
  return {"cpu", "the processor",     c10::DeviceType::CPU,   [] { return true; },    use_huge_pages,
          [] {}, peak_resident_bytes, current_resident_bytes, available_memory_bytes, model::has_bf16_products};
}

}  // namespace bench::harness
