#include "harness/core/stats.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <boost/math/distributions/binomial.hpp>
#include <boost/math/distributions/students_t.hpp>

namespace bench::harness {
namespace {

constexpr double kOutside = 0.05;  // 95 % intervals

double quantile_of_sorted(const std::vector<double>& sorted, double p) {
  if (sorted.empty()) return std::numeric_limits<double>::quiet_NaN();
  const double position = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

/// The distance from `from` to `to` on the logarithmic scale, 0 for what has no logarithm.
double log_distance(double from, double to) { return from > 0 && to > 0 ? std::fabs(std::log(to / from)) : 0; }

double t_quantile(double degrees_of_freedom) {
  return boost::math::quantile(boost::math::students_t(std::max(1.0, degrees_of_freedom)), 1 - kOutside / 2);
}

}  // namespace

double Estimate::relative_half_width() const {
  return value == 0 ? 0 : std::max(high - value, value - low) / std::fabs(value);
}

Estimate Estimate::widened(double factor) const {
  return {value, value - factor * (value - low), value + factor * (high - value), n};
}

double quantile(std::vector<double> samples, double p) {
  std::sort(samples.begin(), samples.end());
  return quantile_of_sorted(samples, p);
}

Estimate quantile_estimate(std::vector<double> samples, double p) {
  std::sort(samples.begin(), samples.end());
  const double value = quantile_of_sorted(samples, p);
  const auto n = static_cast<std::int64_t>(samples.size());
  if (n == 0) return {value, value, value, 0};
  // The number of samples below the true quantile is binomial(n, p). Low is the largest sample with at most 2.5 % of
  // that distribution below its rank, high the smallest with at most 2.5 % at or above it.
  const boost::math::binomial_distribution<double> below(static_cast<double>(n), p);
  std::int64_t low = -1, high = n;
  while (low + 1 < n && boost::math::cdf(below, static_cast<double>(low + 1)) <= kOutside / 2) ++low;
  while (high > 0 && boost::math::cdf(boost::math::complement(below, static_cast<double>(high - 1))) <= kOutside / 2)
    --high;
  if (low < 0 || high >= n) return {value, value, value, n};  // too few samples on one side
  return {value, samples[static_cast<std::size_t>(low)], samples[static_cast<std::size_t>(high)], n};
}

Estimate mean(const std::vector<double>& samples) {
  const auto n = static_cast<double>(samples.size());
  const double value = samples.empty() ? std::numeric_limits<double>::quiet_NaN()
                                       : std::accumulate(samples.begin(), samples.end(), 0.0) / n;
  if (samples.size() < 2) return {value, value, value, static_cast<std::int64_t>(samples.size())};
  double squares = 0;
  for (const double sample : samples) squares += (sample - value) * (sample - value);
  const double standard_error = std::sqrt(squares / (n - 1) / n);
  const double half = t_quantile(n - 1) * standard_error;
  return {value, value - half, value + half, static_cast<std::int64_t>(samples.size())};
}

Estimate ratio(const Estimate& a, const Estimate& b) {
  const double value = a.value == b.value ? 1 : a.value / b.value;
  const double down = std::hypot(log_distance(a.value, a.low), log_distance(b.value, b.high));
  const double up = std::hypot(log_distance(a.value, a.high), log_distance(b.value, b.low));
  return {value, value * std::exp(-down), value * std::exp(up), std::min(a.n, b.n)};
}

Estimate across_processes(const std::vector<double>& values) {
  constexpr std::size_t kEnoughRanks = 6;
  return values.size() < kEnoughRanks ? mean(values) : median(values);
}

double p_value(double difference, double half_width_95, double degrees_of_freedom) {
  if (difference == 0) return 1;
  if (half_width_95 <= 0) return 0;  // no noise at all: any difference is one
  const double t = std::fabs(difference) / (half_width_95 / t_quantile(degrees_of_freedom));
  return 2 * boost::math::cdf(boost::math::complement(boost::math::students_t(std::max(1.0, degrees_of_freedom)), t));
}

std::vector<double> holm(const std::vector<double>& p_values) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> corrected(p_values.size());
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, p_values[order[rank]] * static_cast<double>(order.size() - rank));
    corrected[order[rank]] = std::min(1.0, largest);
  }
  return corrected;
}

}  // namespace bench::harness
