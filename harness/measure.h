#pragma once

#include "harness/devices/device.h"

#include <functional>
#include <vector>

#include <c10/core/ScalarType.h>

namespace bench::harness {

/// When to stop repeating. The first run is the cold one: it is reported apart from the samples, unless it alone takes
/// the whole budget; then it is the only sample.
struct MeasureOptions {
  std::int64_t warmup = 1;  // runs after the cold one that are not samples either
  std::int64_t max_samples = 20;
  double budget_s = 30;  // for everything; at least one sample is taken all the same
};

struct Timing {
  double cold_s = 0;
  std::vector<double> samples_s;
};

/// The only stopwatch: seconds of `work`, the device idle before both time stamps.
double time_once(const Device& device, const std::function<void()>& work);

Timing time_repeatedly(const Device& device, const MeasureOptions& options, const std::function<void()>& work);

/// Floating-point operations per second of square matrix products in `dtype`: the best of a few, about half a second.
double probe_matmul_flops_per_s(const Device& device, c10::ScalarType dtype);

}  // namespace bench::harness
