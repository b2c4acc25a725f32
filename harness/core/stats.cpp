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

}  // namespace

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
  const double half = boost::math::quantile(boost::math::students_t(n - 1), 1 - kOutside / 2) * standard_error;
  return {value, value - half, value + half, static_cast<std::int64_t>(samples.size())};
}

}  // namespace bench::harness
