#include "harness/reports/axis.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace bench::harness {
namespace {

constexpr double kMargin = 0.05;     // of the range, on both sides
constexpr int kTicks = 5;            // about
constexpr int kMostTicks = 20;       // whatever rounding does
constexpr double kRounding = 1e-12;  // relative
constexpr double kDecade = 10;       // values that span more need a logarithmic axis
// No quantity lies beyond these limits. Values beyond them are left out, so that differences and quotients of what is
// drawn are finite numbers.
constexpr double kLargest = 1e100, kSmallest = 1e-100;

/// The largest of 1, 2, 5 times a power of ten that gives enough ticks.
double tick_distance(double range) {
  const double raw = range / kTicks, power = std::pow(10, std::floor(std::log10(raw)));
  for (const double step : {1.0, 2.0, 5.0})
    if (raw <= step * power) return step * power;
  return 10 * power;
}

std::vector<Tick> linear_ticks(double low, double high) {
  std::vector<Tick> ticks;
  const double distance = tick_distance(high - low), first = std::ceil(low / distance);
  for (int i = 0; i < kMostTicks && (first + i) * distance <= high; ++i) {
    const double at = (first + i) * distance;
    ticks.push_back({at, fmt::format("{:g}", std::fabs(at) < distance / 2 ? 0 : at)});
  }
  return ticks;
}

/// Powers of ten, and within few decades also 2 and 5 times those.
std::vector<Tick> logarithmic_ticks(double low, double high) {
  std::vector<Tick> ticks;
  const double decades = std::log10(high / low);
  const int every = std::max(1, static_cast<int>(std::ceil(decades / 6)));
  const int last = static_cast<int>(std::floor(std::log10(high)));
  for (int exponent = static_cast<int>(std::floor(std::log10(low))); exponent <= last; ++exponent)
    for (const double step : {1.0, 2.0, 5.0}) {
      const double at = step * std::pow(10, exponent);
      if (at < low || at > high || (step != 1 && decades > 2) || (step == 1 && exponent % every != 0)) continue;
      ticks.push_back({at, fmt::format("{:g}", at)});
    }
  return ticks;
}

Axis with_ticks(Axis axis) {
  axis.ticks = axis.logarithmic ? logarithmic_ticks(axis.low, axis.high) : linear_ticks(axis.low, axis.high);
  return axis;
}

bool is_drawn(double value) {
  const double size = std::fabs(value);
  return value == 0 || (size >= kSmallest && size <= kLargest);  // NaN is neither
}

std::pair<double, double> range_of(const std::vector<double>& values, bool positive_only) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double value : values) {
    if (!is_drawn(value) || (positive_only && value <= 0)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  if (low > high) return {1, 2};
  // Values that differ by rounding only are one value: between them there is no room for ticks.
  if (high - low <= kRounding * std::max(std::fabs(low), std::fabs(high)))
    return low == 0 ? std::pair{-1.0, 1.0} : std::pair{low - 0.1 * std::fabs(low), low + 0.1 * std::fabs(low)};
  return {low, high};
}

}  // namespace

double Axis::share(double value) const {
  if (logarithmic) return std::log(value / low) / std::log(high / low);
  return (value - low) / (high - low);
}

Axis axis_over(std::string label, const std::vector<double>& values, bool logarithmic) {
  auto [low, high] = range_of(values, logarithmic);
  if (logarithmic) {
    const double factor = std::pow(high / low, kMargin);
    return with_ticks({std::move(label), low / factor, high * factor, true, {}});
  }
  const double margin = kMargin * (high - low);
  return with_ticks({std::move(label), low - margin, high + margin, false, {}});
}

Axis axis_from_zero(std::string label, const std::vector<double>& values) {
  const double high = range_of(values, true).second;
  return with_ticks({std::move(label), 0, high * (1 + kMargin), false, {}});
}

bool needs_logarithm(const std::vector<double>& values) {
  for (const double value : values)
    if (value <= 0) return false;
  const auto [low, high] = range_of(values, true);
  return high > kDecade * low;
}

TimeUnit time_unit(double seconds) {
  for (const TimeUnit unit : {TimeUnit{"s", 1}, TimeUnit{"ms", 1e-3}, TimeUnit{"us", 1e-6}})
    if (seconds >= unit.seconds) return unit;
  return {"ns", 1e-9};
}

}  // namespace bench::harness
