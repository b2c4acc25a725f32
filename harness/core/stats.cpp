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

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

bool all_finite(const std::vector<double>& values) {
  return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
}

double quantile_of_sorted(const std::vector<double>& sorted, double p) {
  if (sorted.empty()) return kNan;
  const double position = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (position - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// The distance from a value to an end of its interval on the logarithmic scale; infinite if that end reaches zero. 0
/// for a value that has no logarithm, since it has no such interval.
double log_distance(double from, double to) {
  if (!(from > 0)) return 0;
  return to > 0 ? std::fabs(std::log(to / from)) : kInfinity;
}

double t_quantile(double degrees_of_freedom) {
  return boost::math::quantile(boost::math::students_t(std::max(1.0, degrees_of_freedom)), 1 - kOutside / 2);
}

}  // namespace

double Estimate::relative_half_width() const {
  return has_interval() ? std::max(high - value, value - low) / std::fabs(value) : kInfinity;
}

Estimate Estimate::widened(double factor) const {
  return {value, value - factor * (value - low), value + factor * (high - value), n};
}

double quantile(std::vector<double> samples, double p) {
  if (std::ranges::any_of(samples, [](double sample) { return std::isnan(sample); })) return kNan;
  std::ranges::sort(samples);
  return quantile_of_sorted(samples, p);
}

Estimate quantile_estimate(std::vector<double> samples, double p) {
  const auto n = static_cast<std::int64_t>(samples.size());
  if (n == 0 || !all_finite(samples)) return Estimate::point(kNan, n);
  std::ranges::sort(samples);
  const double value = quantile_of_sorted(samples, p);
  // The number of samples below the true quantile is binomial(n, p). `low` is the largest sample with at most 2.5 % of
  // that distribution below its rank, `high` the smallest with at most 2.5 % at or above it.
  const boost::math::binomial_distribution<double> below(static_cast<double>(n), p);
  std::int64_t low = -1, high = n;
  while (low + 1 < n && boost::math::cdf(below, static_cast<double>(low + 1)) <= kOutside / 2) ++low;
  while (high > 0 && boost::math::cdf(boost::math::complement(below, static_cast<double>(high - 1))) <= kOutside / 2)
    --high;
  if (low < 0 || high >= n) return Estimate::point(value, n);  // too few samples on one side
  return {value, samples[static_cast<std::size_t>(low)], samples[static_cast<std::size_t>(high)], n};
}

double variance(const std::vector<double>& samples, double mean) {
  double squares = 0;
  for (const double sample : samples) squares += (sample - mean) * (sample - mean);
  return squares / static_cast<double>(samples.size() - 1);
}

Estimate mean(const std::vector<double>& samples) {
  const auto n = static_cast<double>(samples.size());
  const auto count = static_cast<std::int64_t>(samples.size());
  if (samples.empty() || !all_finite(samples)) return Estimate::point(kNan, count);
  const double value = std::accumulate(samples.begin(), samples.end(), 0.0) / n;
  if (count < 2) return Estimate::point(value, count);
  const double half = t_quantile(n - 1) * std::sqrt(variance(samples, value) / n);
  return {value, value - half, value + half, count};
}

Estimate kept_positive(const Estimate& e) {
  if (!(e.value > 0) || !(e.low <= 0)) return e;
  return {e.value, e.value * std::exp(e.low / e.value - 1), e.value * std::exp(e.high / e.value - 1), e.n};
}

Estimate quotient(double work, const Estimate& e) {
  if (std::isnan(e.low)) return Estimate::point(work / e.value, e.n);
  return {work / e.value, work / e.high, e.low > 0 ? work / e.low : kInfinity, e.n};
}

Estimate ratio(const Estimate& a, const Estimate& b) {
  const std::int64_t n = std::min(a.n, b.n);
  if (!std::isfinite(a.value) || !std::isfinite(b.value)) return Estimate::point(kNan, n);
  const double value = a.value == b.value ? 1 : a.value / b.value;
  if (std::isnan(a.low) && std::isnan(b.low)) return Estimate::point(value, n);
  const double down = std::hypot(log_distance(a.value, a.least()), log_distance(b.value, b.most()));
  const double up = std::hypot(log_distance(a.value, a.most()), log_distance(b.value, b.least()));
  return {value, value * std::exp(-down), value * std::exp(up), n};
}

Estimate across_units(const std::vector<double>& values) {
  constexpr std::size_t kEnoughRanks = 6;
  return values.size() < kEnoughRanks ? mean(values) : median(values);
}

namespace {

/// The distribution of a sum of ranks: each of the ranks 1 .. n is in the sum with probability one half. Element s is
/// the probability of the sum s.
std::vector<double> signed_rank_distribution(std::size_t n) {
  std::vector<double> probability(n * (n + 1) / 2 + 1, 0.0);
  probability[0] = 1;
  for (std::size_t rank = 1; rank <= n; ++rank)
    for (std::size_t sum = probability.size(); sum-- > 0;)
      probability[sum] = 0.5 * (probability[sum] + (sum >= rank ? probability[sum - rank] : 0));
  return probability;
}

}  // namespace

SignedRank signed_rank(const std::vector<double>& values) {
  const std::size_t n = values.size();
  if (!all_finite(values)) return {Estimate::point(kNan, static_cast<std::int64_t>(n)), 1};
  std::vector<double> averages;  // Walsh averages: of every pair, including each value with itself
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = i; j < n; ++j) averages.push_back((values[i] + values[j]) / 2);
  std::ranges::sort(averages);
  SignedRank result;
  result.centre = Estimate::point(quantile_of_sorted(averages, 0.5), static_cast<std::int64_t>(n));
  // The statistic is the number of positive averages; a zero counts half.
  double statistic = 0;
  for (const double average : averages) statistic += average > 0 ? 1 : average == 0 ? 0.5 : 0;
  const auto tail = static_cast<std::size_t>(std::min(statistic, static_cast<double>(averages.size()) - statistic));
  const auto probability = signed_rank_distribution(n);
  result.p_value = 0;
  for (std::size_t sum = 0; sum <= tail; ++sum) result.p_value += 2 * probability[sum];
  result.p_value = std::min(1.0, result.p_value);
  std::size_t outside = 0;  // averages beyond each end of the interval
  for (double below = probability[0]; below <= kOutside / 2; below += probability[outside]) ++outside;
  if (outside == 0) return result;
  result.centre.low = averages[outside - 1];
  result.centre.high = averages[averages.size() - outside];
  return result;
}

double p_value(double difference, double half_width_95, double degrees_of_freedom) {
  if (difference == 0 || std::isnan(difference) || std::isnan(half_width_95)) return 1;
  if (half_width_95 <= 0) return 0;  // no noise at all: any difference is real
  const double t = std::fabs(difference) / (half_width_95 / t_quantile(degrees_of_freedom));
  return 2 * boost::math::cdf(boost::math::complement(boost::math::students_t(std::max(1.0, degrees_of_freedom)), t));
}

std::vector<double> holm(const std::vector<double>& p_values) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> corrected(p_values.size());
  double largest = 0;
  for (std::size_t rank = 0; rank < order.size(); ++rank) {
    largest = std::max(largest, p_values[order[rank]] * static_cast<double>(order.size() - rank));
    corrected[order[rank]] = std::min(1.0, largest);
  }
  return corrected;
}

}  // namespace bench::harness
