#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace bench::harness {

/// A value with the interval that holds the true one with 95 % confidence, and the number of samples behind it. With
/// too few samples for an interval low and high are NaN. n = 0: nothing was measured, the value is an estimate.
struct Estimate {
  double value = 0;
  double low = std::numeric_limits<double>::quiet_NaN(), high = std::numeric_limits<double>::quiet_NaN();
  std::int64_t n = 0;

  /// A value without an interval.
  static Estimate point(double value, std::int64_t n) { return {.value = value, .n = n}; }
  /// False also for samples that are all the same: then nothing tells their spread.
  bool has_interval() const { return low < high; }
  /// The ends of the interval, or the value where there is none.
  double least() const { return std::isnan(low) ? value : low; }
  double most() const { return std::isnan(high) ? value : high; }
  /// The wider side of the interval as a share of the value; infinite without an interval.
  double relative_half_width() const;
  /// The interval stretched about the value by that factor.
  Estimate widened(double factor) const;
};

/// The p-quantile (0 <= p <= 1) by linear interpolation. NaN for no samples, and if one is.
double quantile(std::vector<double> samples, double p);

// Of samples of which one is not finite the quantile, the mean and the rest below are NaN: an outlier may be left out
// by a median, but not a sign that something is broken.

/// The p-quantile with an order-statistic interval: no assumption about the distribution but independence. It needs
/// enough samples on both sides of it: 6 for the median, 72 for p = 0.95.
Estimate quantile_estimate(std::vector<double> samples, double p);
inline Estimate median(std::vector<double> samples) { return quantile_estimate(std::move(samples), 0.5); }

/// Sample variance (n - 1) about a mean that is known already. It needs n >= 2.
double variance(const std::vector<double>& samples, double mean);

/// Mean with Student's t interval. It needs n >= 2.
Estimate mean(const std::vector<double>& samples);

/// The same of a quantity that is positive by nature, like a time: an interval that would reach zero is built about the
/// logarithm instead, as wide there to first order (the delta method).
Estimate kept_positive(const Estimate& e);

/// work / e of a positive estimate. Where the interval reaches zero nothing bounds the quotient: its high is infinite.
Estimate quotient(double work, const Estimate& e);

/// a / b of two independent positive estimates; without an interval of one, that of the other decides alone. The
/// interval is built on the logarithms from both intervals, which may be lopsided (the "method of variance estimates
/// recovery", Zou and Donner 2008); the end of one that reaches zero or infinity bounds nothing.
Estimate ratio(const Estimate& a, const Estimate& b);

/// One value from several units' values: from 6 on the median with its order-statistic interval; of 2 to 5 the mean
/// with Student's t interval, since so few ranks give no interval.
Estimate across_units(const std::vector<double>& values);
/// The same of times or rates of several processes, the process being the unit.
inline Estimate across_processes(const std::vector<double>& values) { return kept_positive(across_units(values)); }

/// Where the values are centred, if they lie symmetrically about it: the Hodges-Lehmann estimate with the interval and
/// the two-sided p-value (against zero) of Wilcoxon's signed-rank test. Exact for any such distribution, and a few wild
/// values don't move it. With fewer than kFewestForInterval values there is none.
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
