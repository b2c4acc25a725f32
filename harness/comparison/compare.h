#pragma once

#include "harness/judging/report.h"

#include <string>
#include <vector>

namespace bench::harness {

/// What a change comes to. `tolerance` is the largest change that counts as none.
enum class Change {
  kSame,      // the whole 95 % interval of the change lies within the tolerance
  kBetter,    // beyond the tolerance, and not by chance
  kWorse,     // the same
  kCantTell,  // neither: the change may be harmless or not
  kVanished,  // the metric or the case is missing in the new report
  kNew,
};
const char* change_name(Change change);

/// Decides about a change on the logarithmic scale, positive for better: how large, the half-width of its 95 %
/// interval, and the p-value (corrected where many are decided together).
Change judge_change(double log_change, double half_width, double p_value, double tolerance);

/// One metric of one case in two reports.
struct Comparison {
  std::string case_name;
  const Metric* metric = nullptr;  // null when a whole case vanished or is new
  Estimate base, now;
  Estimate ratio;                    // now / base, as measured
  std::optional<Estimate> relative;  // the same relative to the speed probe: without what the machine itself changed
  double p_value = 1;                // of a timed metric, corrected for the number of metrics
  Change change = Change::kSame;
  std::string why;  // it can't be told
};

struct CompareOptions {
  double tolerance = 0.05;  // of timed metrics; exact ones have their own
  /// Compare reports of different machines or configs all the same: then only values relative to the probe.
  bool different = false;
  bool exact_only = false;  // leave timed metrics to bench ab, which runs both sides in turns
};

/// Compares metric by metric. Timed metrics are judged by their values relative to the speed probe where there are
/// such; their p-values are corrected by Holm's method. With one process on either side a timed metric can't be told:
/// speed varies from process to process, and nothing says by how much. Throws Error if the reports are of different
/// machines, devices or configs, unless asked to go on.
std::vector<Comparison> compare_reports(const Report& base, const Report& now, const CompareOptions& options);

/// 1 when something got worse or vanished, 4 when something can't be told or nothing was compared, else 0.
Exit exit_code(const std::vector<Comparison>& comparisons);

}  // namespace bench::harness
