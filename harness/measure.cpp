#include "harness/measure.h"

#include "harness/core/clock.h"
#include "model/tensor.h"

#include <algorithm>

namespace bench::harness {

double time_once(const Device& device, const std::function<void()>& work) {
  device.synchronize();
  const double begin = now_s();
  work();
  device.synchronize();
  return now_s() - begin;
}

Timing time_repeatedly(const Device& device, const MeasureOptions& options, const std::function<void()>& work) {
  const double end = now_s() + options.budget_s;
  Timing timing;
  timing.cold_s = time_once(device, work);
  double last = timing.cold_s;
  const auto time_left = [&] { return now_s() + last < end; };
  for (std::int64_t i = 0; i < options.warmup && time_left(); ++i) last = time_once(device, work);
  while (static_cast<std::int64_t>(timing.samples_s.size()) < options.max_samples && time_left())
    timing.samples_s.push_back(last = time_once(device, work));
  if (timing.samples_s.empty()) timing.samples_s.push_back(last);
  return timing;
}

double probe_matmul_flops_per_s(const Device& device, c10::ScalarType dtype) {
  constexpr std::int64_t kSize = 1024;  // large enough for full rate, small enough to repeat on two cores
  const torch::NoGradGuard no_grad;
  const auto options = torch::TensorOptions().device(device.torch_device()).dtype(dtype);
  const torch::Tensor a = torch::ones({kSize, kSize}, options), b = torch::ones({kSize, kSize}, options);
  torch::Tensor product = torch::empty({kSize, kSize}, options);  // reused: page faults are no part of the ceiling
  const Timing timing =
      time_repeatedly(device, {.warmup = 2, .max_samples = 30, .budget_s = 0.5}, [&] { torch::mm_out(product, a, b); });
  const double fastest = *std::min_element(timing.samples_s.begin(), timing.samples_s.end());
  return 2.0 * kSize * kSize * kSize / fastest;
}

}  // namespace bench::harness
