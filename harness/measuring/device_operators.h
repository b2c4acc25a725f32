#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include <c10/core/DeviceType.h>

namespace bench::harness {

/// What a piece of work would give a device to do. Operators have the names of LibTorch with their overload
/// ("aten::add_.Tensor"); kernels of ours are named bench::.
struct DeviceWork {
  /// Operators with a kernel on the device. What such an operator calls inside is part of its kernel, so it isn't
  /// counted. Views and allocations launch nothing. Copies between host and device count.
  std::int64_t launches = 0;
  std::map<std::string, std::int64_t> launches_by_operator = {};
  /// How often the host waited for numbers of the device.
  std::int64_t reads = 0;
  /// Operators that the device has no kernel for, and that no other operators stand for. They count as launches.
  std::set<std::string> without_kernel = {};
  /// Operators that took or gave float64 numbers. Single numbers that the host holds don't count.
  std::set<std::string> with_float64 = {};
  /// The largest tensor that an operator took or gave, in bytes, and that operator. A tensor that repeats numbers
  /// without storing them (expand) is as large as if it stored them.
  std::int64_t largest_bytes = 0;
  std::string largest_operator = {};
};

/// Does the work here, and records what it would do on the device `as_on`, which need not be there. `lies_on` is where
/// the model's tensors are. Where that isn't the CPU, only operators count that touch a tensor there: the others are
/// the host's. On the CPU all count. The backward pass counts, also where autograd hands it to another thread. Only one
/// piece of work can be recorded at a time, and not inside of one that count_work() counts in another thread. It costs
/// a few microseconds an operator. Throws Error if the table of operators doesn't know the device.
DeviceWork record_device_work(const std::function<void()>& work, c10::DeviceType as_on,
                              c10::DeviceType lies_on = c10::kCPU);

}  // namespace bench::harness
