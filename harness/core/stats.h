#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace bench::harness {

/// A value, the interval that holds the true value with 95 % confidence, and the number of samples behind them. With
/// too few samples for an interval, `low` and `high` are NaN. n = 0 means that nothing was measured and the value is an
/// estimate.
struct Estimate {
  double value = 0;
  double low = std::numeric_limits<double>::quiet_NaN(), high = std::numeric_limits<double>::quiet_NaN();
  std::int64_t n = 0;

  /// A value without an interval.
  static Estimate point(double value, std::int64_t n) { return {.value = value, .n = n}; }
  /// False also if all samples are the same, since nothing then tells how much they spread.
  bool has_interval() const { return low < high; }
  /// The ends of the interval, or the value where there is none.
  double least() const { return std::isnan(low) ? value : low; }
  double most() const { return std::isnan(high) ? value : high; }
  /// The wider side of the interval as a share of the value; infinite if there is no interval.
  double relative_half_width() const;
  /// The same value with its interval stretched about it by `factor`.
  Estimate widened(double factor) const;
};

/// The p-quantile (0 <= p <= 1) by linear interpolation. NaN if there are no samples, or if one of them is NaN.
double quantile(std::vector<double> samples, double p);

// If any sample is not finite, the quantile, the mean and everything else below are NaN. A median may leave out an
// outlier, but not a sign that something is broken.

/// The p-quantile with an order-statistic interval, which assumes nothing about the distribution; the samples must be
/// independent. The interval needs enough samples on both sides of the quantile: 6 samples for the median, 72 for p =
/// 0.95.
Estimate quantile_estimate(std::vector<double> samples, double p);
inline Estimate median(std::vector<double> samples) { return quantile_estimate(std::move(samples), 0.5); }

/// The sample variance (n - 1) about a mean that is already known. Needs n >= 2.
double variance(const std::vector<double>& samples, double mean);

/// The mean with Student's t interval. The interval needs n >= 2.
Estimate mean(const std::vector<double>& samples);

/// The estimate `e` of a quantity that is positive by nature, like a time. If its interval reaches zero, the interval
/// is built about the logarithm instead, which makes it just as wide to first order (the delta method).
Estimate kept_positive(const Estimate& e);

/// work / e for a positive estimate `e`. If the interval of `e` reaches zero, nothing bounds the quotient, and its
/// `high` is infinite.
Estimate quotient(double work, const Estimate& e);

/// a / b for two independent positive estimates. The interval is built on the logarithms from both intervals, which may
/// be lopsided (the "method of variance estimates recovery", Zou and Donner 2008). If one estimate has no interval, the
/// interval of the other one decides alone. An end of an interval that reaches zero or infinity bounds nothing.
Estimate ratio(const Estimate& a, const Estimate& b);

/// Combines the values of several units into one. From 6 values on this is the median with its order-statistic
/// interval. For 2 to 5 values it is the mean with Student's t interval, since so few values give no order-statistic
/// interval.
Estimate across_units(const std::vector<double>& values);
/// Combines times or rates of several processes, each process being one unit.
inline Estimate across_processes(const std::vector<double>& values) { return kept_positive(across_units(values)); }

/// The centre of the values, if they are distributed symmetrically about one. It is the Hodges-Lehmann estimate with
/// the interval and the two-sided p-value (against zero) of Wilcoxon's signed-rank test. The test is exact for any such
/// distribution, and a few wild values don't move the centre. With fewer than kFewestForInterval values there is no
/// interval.
inline constexpr std::size_t kFewestForInterval = 6;  // of fewer, even all on one side happen in over 5 % of draws
struct SignedRank {
  Estimate centre;
  double p_value = 1;
};
SignedRank signed_rank(const std::vector<double>& values);

/// The two-sided p-value of a difference, given the half-width of its 95 % interval and the degrees of freedom.
double p_value(double difference, double half_width_95, double degrees_of_freedom);

/// Holm's step-down correction for several tests. Returns corrected p-values, each to be read as if its test had been
/// the only one, in the order given.
std::vector<double> holm(const std::vector<double>& p_values);

}  // namespace bench::harness
