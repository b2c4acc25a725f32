#include "model/device/metal.h"

namespace bench::model {

const MetalKernels& metal_kernels(const torch::Device&) {
  static const MetalKernels none{nullptr, "no Metal on this system"};
  return none;
}

}  // namespace bench::model
