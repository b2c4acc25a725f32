#pragma once

#include "harness/judging/metric.h"

#include <cmath>
#include <span>
#include <string>
#include <vector>

namespace bench::harness {

/// A lasting change of a metric's level.
struct StepChange {
  std::size_t index = 0;  // the first report after the change, in Trend::points
  /// Level after / level before. A level is the median of the reports between two changes. If the trend was judged by
  /// the metric's share, this is the ratio that the metric itself would have if the machine had been equally fast all
  /// along.
  double ratio = 1;
  double p_value = 1;  // 0 for an exact metric, because any change of it is real
  bool worse = false;
  double before = 0, after = 0;  // the levels of the metric itself, in its unit
  /// Whether the metric is not a number since the change. It can become nothing worse.
  bool to_no_number() const { return !std::isfinite(after); }
  /// What besides the commit differs between the last report before the change and the first after it:
  /// "torch_version: 2.12.0 -> 2.13.0", "config/steps: 10 -> 20".
  std::vector<std::string> also_changed = {};
};

/// The least number of values of a timed metric. With fewer, find_steps can't find anything: no order of them is
/// unlikely enough by chance.
inline constexpr std::size_t kFewestTimedValues = 10;

/// Finds where the level of a series changes for good. NaN values are skipped.
///
/// For an exact metric, every value that is farther than `tolerance` (relative) from the level so far is a change.
///
/// For a timed metric, the search uses ranks, so that outliers weigh no more than their number. As in circular binary
/// segmentation (Olshen et al. 2004), it finds the beginning, or the stretch inside, that differs most from the rest by
/// the Mann-Whitney statistic. This stretch counts if fewer than 1 % of random orders have one that differs as much.
/// Then the resulting parts are searched in the same way. Each change is put where two levels fit best between its
/// neighbours. It must be significant there by itself, and be 2 % large.
///
/// A change shows about five reports after it happened. For an unchanged program, with 30 values of 5 % spread, 1 % of
/// the series give a false alarm. The search is deterministic: the same values give the same changes.
std::vector<StepChange> find_steps(const std::vector<double>& values, Better better, Nature nature,
                                   double tolerance = 0);

/// Sets the levels before and after each change, computed from these values without the NaN ones.
void set_levels(std::span<const double> values, std::vector<StepChange>& steps);

}  // namespace bench::harness
