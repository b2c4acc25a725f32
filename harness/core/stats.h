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

  bool has_interval() const { return low < high; }
  /// The wider side of the interval as a share of the value; 0 without an interval.
  double relative_half_width() const;
  /// The interval stretched about the value by that factor.
  Estimate widened(double factor) const;
};

/// The p-quantile (0 <= p <= 1) by linear interpolation. NaN for no samples.
double quantile(std::vector<double> samples, double p);

/// The p-quantile with an order-statistic interval: no assumption about the distribution but independence. It needs
/// enough samples on both sides of it: 6 for the median, 72 for p = 0.95.
Estimate quantile_estimate(std::vector<double> samples, double p);
inline Estimate median(std::vector<double> samples) { return quantile_estimate(std::move(samples), 0.5); }

/// Mean with Student's t interval. It needs n >= 2.
Estimate mean(const std::vector<double>& samples);

/// work / e of a positive estimate. Where the interval reaches zero nothing bounds the quotient: its high is infinite.
Estimate quotient(double work, const Estimate& e);

/// a / b of two independent positive estimates. The interval is built on the logarithms from both intervals, which may
/// be lopsided (the "method of variance estimates recovery", Zou and Donner 2008); the end of one that reaches zero or
/// infinity bounds nothing.
Estimate ratio(const Estimate& a, const Estimate& b);

/// One value from several processes' values, the process being the unit: from 6 on the median with its order-statistic
/// interval; of 2 to 5 the mean with Student's t interval, since so few ranks give no interval.
Estimate across_processes(const std::vector<double>& values);

/// Where the values are centred, if they lie symmetrically about it: the Hodges-Lehmann estimate with the interval and
/// the two-sided p-value (against zero) of Wilcoxon's signed-rank test. Exact for any such distribution, and a few wild
/// values don't move it. With fewer than kFewestForInterval values there is none: low = high = value.
inline constexpr std::size_t kFewestForInterval = 6;  // of fewer, even all on one side happen in over 5 % of draws
struct SignedRank {
  Estimate centre;
  double p_value = 1;
};
SignedRank signed_rank(const std::vector<double>& values);

/// The two-sided p-value of a difference whose 95 % interval has that half-width, with that many degrees of freedom.
double p_value(double difference, double half_width_95, double degrees_of_freedom);

/// Holm's step-down correction: p-values as if each had been the only one asked for, in the order given.
std::vector<double> holm(const std::vector<double>& p_values);

}  // namespace bench::harness
