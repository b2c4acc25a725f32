#pragma once

#include "harness/core/stats.h"

#include <span>
#include <vector>

namespace bench::harness {

/// Where an interval of values lies relative to those that a gate allows.
enum class Side { kInside, kOutside, kAcross };

/// The values that a gate allows: those between two ends, each of which may be infinite, or all others.
struct AllowedValues {
  double low, high;
  bool with_low = true, with_high = true;  // whether the ends themselves belong to the interval
  bool all_others = false;                 // allowed is what lies outside of the interval

  /// Not for NaN, which no gate allows.
  bool holds(double value) const;
  /// Of the values from `least` to `most`. NaN lies outside.
  Side side(double least, double most) const;
  /// True where more is allowed without end, but not less, as with `at_least`; and the other way round.
  bool only_from_below() const;
  bool only_from_above() const;
};

/// A comparison of a value with one or two numbers. To add one: a row in gate_kinds.cpp; where an interval lies follows
/// from the values that it allows.
struct GateKind {
  const char* name;
  const char* meaning;
  std::size_t limits;  // how many numbers it takes
  AllowedValues (*allowed)(const std::vector<double>& limits);
};
std::span<const GateKind> gate_kinds();

}  // namespace bench::harness
