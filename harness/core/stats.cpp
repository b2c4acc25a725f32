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
constexpr std::int64_t kFewestForMedianInterval = 6;  // with 5, min..max holds the median with only 93.75 %

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

Estimate median(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  const double value = quantile_of_sorted(samples, 0.5);
  const auto n = static_cast<std::int64_t>(samples.size());
  if (n < kFewestForMedianInterval) return {value, value, value, n};
  // The number of samples below the true median is binomial(n, 1/2): cut as many from each end as stay within 2.5 %.
  const boost::math::binomial_distribution<double> below(static_cast<double>(n), 0.5);
  std::int64_t cut = 0;
  while (boost::math::cdf(below, static_cast<double>(cut)) <= kOutside / 2) ++cut;
  cut -= 1;  // the largest cut whose tail is small enough; n >= 6 makes it at least 0
  return {value, samples[static_cast<std::size_t>(cut)], samples[static_cast<std::size_t>(n - 1 - cut)], n};
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
