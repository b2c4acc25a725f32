#pragma once

#include <string>
#include <vector>

namespace bench::harness {

struct Tick {
  double at = 0;
  std::string text;
};

/// One direction of a chart: what it shows, and where on it a value lies.
struct Axis {
  std::string label;
  double low = 0, high = 1;
  bool logarithmic = false;
  std::vector<Tick> ticks;

  /// 0 at the low end, 1 at the high one.
  double share(double value) const;
};

/// An axis that holds all values, with a margin, but for those that aren't finite and sizes beyond 1e-100 .. 1e100.
/// A logarithmic one leaves out what has no logarithm. There are at most some 20 ticks, whatever the values are.
Axis axis_over(std::string label, const std::vector<double>& values, bool logarithmic = false);
/// The same from 0 on.
Axis axis_from_zero(std::string label, const std::vector<double>& values);

/// Whether the values span so much that only a logarithmic axis shows them all.
bool needs_logarithm(const std::vector<double>& values);

/// A unit in which times of that size are read.
struct TimeUnit {
  const char* name;
  double seconds;
};
TimeUnit time_unit(double seconds);

}  // namespace bench::harness
