#pragma once

#include "harness/core/stats.h"

#include <span>
#include <vector>

namespace bench::harness {

/// Where an interval of values lies relative to those that a gate allows.
enum class Side { kInside, kOutside, kAcross };

/// The values that a gate allows: all values inside an interval, or all values outside of it. Each end of the interval
/// may be infinite.
struct AllowedValues {
  double low, high;
  bool with_low = true, with_high = true;  // whether the ends themselves belong to the interval
  bool all_others = false;                 // the values outside of the interval are the allowed ones

  /// Whether the gate allows the value. No gate allows NaN.
  bool holds(double value) const;
  /// Where the values from `least` to `most` lie. NaN lies outside.
  Side side(double least, double most) const;
  /// Whether the allowed values have a limit only from below, as with `at_least`, or only from above, as with
  /// `at_most`.
  bool only_from_below() const;
  bool only_from_above() const;
};

/// A comparison of a value with one or two numbers. To add a kind, add a row in gate_kinds.cpp. Where an interval lies
/// follows from the values that the kind allows.
struct GateKind {
  const char* name;
  const char* meaning;
  std::size_t limits;  // how many numbers it takes
  AllowedValues (*allowed)(const std::vector<double>& limits);
};
std::span<const GateKind> gate_kinds();

}  // namespace bench::harness
