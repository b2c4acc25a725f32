#include "harness/devices/backends.h"
#include "model/path.h"

namespace bench::harness {

Device portable_device() {
  Device device = cpu_device();
  device.name = "portable";
  device.meaning = "the processor, by LibTorch's operators alone: what mps and cuda compute, on any machine";
  device.prepare = [] {
    use_huge_pages();
    model::set_path(model::Path::kPortable);
  };
  device.decodes_in_bf16 = false;
  device.has_kernels = false;
  device.fused_attention_gradient = false;
  return device;
}

}  // namespace bench::harness
