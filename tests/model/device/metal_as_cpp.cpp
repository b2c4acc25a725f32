#include "tests/model/device/metal_as_cpp.h"

// clang-format off: last, since its words for address spaces are macros
#include "model/device/kernels.metal"
// clang-format on
#undef kernel
#undef device
#undef constant
#undef threadgroup

namespace bench::model {
namespace {

/// The buffers of a launch whose elements are T, by their indices.
template <typename T>
struct Buffers {
  const MetalLaunch& launch;
  T* operator[](std::size_t i) const { return static_cast<T*>(launch.tensors[i].data_ptr()); }
  const float* wide(std::size_t i) const { return launch.tensors[i].const_data_ptr<float>(); }
};

template <typename T>
void run_add_rms_norm(const MetalLaunch& launch) {
  const Buffers<T> at{launch};
  const auto threads = static_cast<metal::uint>(launch.group[0]);
  metal::run_grid(launch.grid, launch.group, [&](const metal::Place& place) {
    add_rms_norm<T>(at[0], at[1], at[2], at[3], at[4], launch.sizes.data(), *launch.eps, place.group.x, place.index,
                    threads, place.index % metal::kSimdWidth, place.index / metal::kSimdWidth,
                    threads / metal::kSimdWidth);
  });
}

template <typename T>
void run_rotate_into_cache(const MetalLaunch& launch) {
  const Buffers<T> at{launch};
  metal::run_grid(launch.grid, launch.group, [&](const metal::Place& place) {
    rotate_into_cache<T>(at[0], at.wide(1), at.wide(2), at[3], at[4], at[5], launch.sizes.data(), place.in_grid);
  });
}

template <typename T>
void run_swiglu(const MetalLaunch& launch) {
  const Buffers<T> at{launch};
  metal::run_grid(launch.grid, launch.group, [&](const metal::Place& place) {
    swiglu<T>(at[0], at[1], launch.sizes.data(), {place.in_grid.x, place.in_grid.y});
  });
}

struct Named {
  const char* name;
  void (*run)(const MetalLaunch&);
};
constexpr Named kKernels[] = {
    {"add_rms_norm_float", run_add_rms_norm<float>},
    {"add_rms_norm_half", run_add_rms_norm<half>},
    {"add_rms_norm_bfloat", run_add_rms_norm<bfloat>},
    {"rotate_into_cache_float", run_rotate_into_cache<float>},
    {"rotate_into_cache_half", run_rotate_into_cache<half>},
    {"rotate_into_cache_bfloat", run_rotate_into_cache<bfloat>},
    {"swiglu_float", run_swiglu<float>},
    {"swiglu_half", run_swiglu<half>},
    {"swiglu_bfloat", run_swiglu<bfloat>},
};

}  // namespace

void launch_as_cpp(const MetalLaunch& launch) {
  for (const Named& each : kKernels)
    if (launch.kernel == each.name) return each.run(launch);
  TORCH_CHECK(false, "kernels.metal has no ", launch.kernel);
}

const DeviceKernels& metal_kernels_as_cpp() { return kernels_launched_by<launch_as_cpp>(); }

}  // namespace bench::model
