#pragma once

#include <cstdint>
#include <vector>

namespace bench::harness {

/// A value with the interval that holds the true one with 95 % confidence, and the number of samples behind it.
/// With too few samples for an interval, low and high are the value itself and `n` says why.
struct Estimate {
  double value = 0, low = 0, high = 0;
  std::int64_t n = 0;
};

/// The p-quantile (0 <= p <= 1) by linear interpolation. NaN for no samples.
double quantile(std::vector<double> samples, double p);

/// Median with an order-statistic interval: no assumption about the distribution but independence. It needs n >= 6.
Estimate median(std::vector<double> samples);

/// Mean with Student's t interval. It needs n >= 2.
Estimate mean(const std::vector<double>& samples);

}  // namespace bench::harness
