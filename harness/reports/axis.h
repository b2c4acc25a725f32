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

/// An axis that holds all values, with a margin. It leaves out values that aren't finite and sizes beyond 1e-100 ..
/// 1e100; a logarithmic axis also leaves out what has no logarithm. There are at most some 20 ticks, whatever the
/// values are.
Axis axis_over(std::string label, const std::vector<double>& values, bool logarithmic = false);
/// Does the same, but the axis begins at 0.
Axis axis_from_zero(std::string label, const std::vector<double>& values);

/// Whether the values span so much that only a logarithmic axis shows them all.
bool needs_logarithm(const std::vector<double>& values);

/// A unit that suits times of a certain size.
struct TimeUnit {
  const char* name;
  double seconds;
};
TimeUnit time_unit(double seconds);

}  // namespace bench::harness
