#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace bench::harness {

/// A value with the interval that holds the true one with 95 % confidence, and the number of samples behind it.
/// With too few samples for an interval, low and high are the value itself and `n` says why. n = 0: nothing was
/// measured, the value is an estimate.
struct Estimate {
  double value = 0, low = 0, high = 0;
  std::int64_t n = 0;
};

/// The p-quantile (0 <= p <= 1) by linear interpolation. NaN for no samples.
double quantile(std::vector<double> samples, double p);

/// The p-quantile with an order-statistic interval: no assumption about the distribution but independence. It needs
/// enough samples on both sides of it: 6 for the median, 72 for p = 0.95.
Estimate quantile_estimate(std::vector<double> samples, double p);
inline Estimate median(std::vector<double> samples) { return quantile_estimate(std::move(samples), 0.5); }

/// Mean with Student's t interval. It needs n >= 2.
Estimate mean(const std::vector<double>& samples);

}  // namespace bench::harness
