#include "model/device/kernels_agree.h"
#include "model/device/metal.h"
#include "model/device/metal_launch.h"
#include "model/error_text.h"

#include <mutex>

#include <ATen/native/mps/MetalShaderLibrary.h>

namespace bench::model {
namespace {

/// Compiled when it is first needed. Lives as long as the process: at exit Metal may be gone before us.
at::native::mps::MetalKernelFunction& function(const std::string& name) {
  static std::mutex mutex;
  static at::native::mps::DynamicMetalShaderLibrary* library = nullptr;
  const std::lock_guard lock(mutex);
  if (!library) library = new at::native::mps::DynamicMetalShaderLibrary(metal_source());
  return *library->getCachedKernelFunctionPtr(name);
}

/// Into LibTorch's own stream, so that it runs after what LibTorch has launched before and ahead of what comes next.
void launch(const MetalLaunch& launch) {
  at::native::mps::MetalKernelFunction& kernel = function(launch.kernel);
  TORCH_CHECK(kernel.getThreadExecutionWidth() == 32, launch.kernel, ": SIMD groups of ",
              kernel.getThreadExecutionWidth(), " threads, not 32");
  kernel.runCommandBlock([&] {
    kernel.startEncoding();
    unsigned index = 0;
    for (const torch::Tensor& tensor : launch.tensors) kernel.setArg(index++, tensor);
    kernel.setArg(index++, launch.sizes);
    if (launch.eps) kernel.setArg(index++, *launch.eps);
    kernel.dispatch(launch.grid, c10::ArrayRef<std::uint64_t>(launch.group));
  });
}

MetalKernels checked_kernels(const torch::Device& device) {
  const DeviceKernels& kernels = kernels_launched_by<launch>();
  try {
    const std::string differ = kernels_differ(kernels, operator_kernels(), device);
    return differ.empty() ? MetalKernels{&kernels, ""}
                          : MetalKernels{nullptr, "our Metal kernels are wrong here: " + differ};
  } catch (const std::exception& e) {
    return {nullptr, "our Metal kernels don't work here: " + error_text(e)};
  }
}

}  // namespace

const MetalKernels& metal_kernels(const torch::Device& device) {
  static const MetalKernels kernels = checked_kernels(device);  // a Mac has one GPU
  return kernels;
}

}  // namespace bench::model
