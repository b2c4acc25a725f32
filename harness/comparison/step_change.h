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
  /// Level after / level before, a level being the median of the reports between two changes. Of a trend that was
  /// judged by the metric's share: the metric's own ratio if the machine had been equally fast all along.
  double ratio = 1;
  double p_value = 1;  // 0 for an exact metric, of which any change is real
  bool worse = false;
  double before = 0, after = 0;  // the levels of the metric itself, in its unit
  /// Whether the metric is no number since: the worst that it can become.
  bool to_no_number() const { return !std::isfinite(after); }
  /// What besides the commit differs between the last report before the change and the first after it:
  /// "torch_version: 2.12.0 -> 2.13.0", "config/steps: 10 -> 20".
  std::vector<std::string> also_changed = {};
};

/// With fewer values of a timed metric no order of them is unlikely enough by chance: find_steps can't find anything.
inline constexpr std::size_t kFewestTimedValues = 10;

/// Where the level of a series changes for good; NaN values are skipped.
///
/// Of an exact metric: every value farther than `tolerance` (relative) from the level so far. Of a timed one by ranks,
/// so that outliers weigh no more than their number: as in circular binary segmentation (Olshen et al. 2004) the
/// beginning, or the stretch inside, that differs most from the rest by the Mann-Whitney statistic. It counts where
/// fewer than 1 % of random orders have one that differs as much; then the parts are searched in the same way. Each
/// change is put where two levels fit best between its neighbours, must be significant there by itself, and be 2 %
/// large.
///
/// A change shows about five reports after it happened. Reports of an unchanged program, of 30 values with 5 % spread,
/// give a false alarm in 1 % of the series. Deterministic: the same values give the same changes.
std::vector<StepChange> find_steps(const std::vector<double>& values, Better better, Nature nature,
                                   double tolerance = 0);

/// Gives each change the levels of these values on both sides of it, without those that are NaN.
void set_levels(std::span<const double> values, std::vector<StepChange>& steps);

}  // namespace bench::harness
