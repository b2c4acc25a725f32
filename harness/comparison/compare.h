#pragma once

#include "harness/judging/report.h"

#include <string>
#include <vector>

namespace bench::harness {

/// What a change comes to. `tolerance` is the largest change that counts as none.
enum class Change {
  kSame,      // the whole 95 % interval of the change lies within the tolerance
  kBetter,    // better by more than the tolerance, and not by chance
  kWorse,     // worse by more than the tolerance, and not by chance
  kCantTell,  // none of these three: the change may be harmless or not
  kVanished,  // the metric or the case is missing in the new report
  kNew,
};
const char* change_name(Change change);

/// Decides about a change from its size on the logarithmic scale (positive for better), the half-width of its 95 %
/// interval, and its p-value (corrected if many changes are decided together).
Change judge_change(double log_change, double half_width, double p_value, double tolerance);

/// One metric of one case in two reports.
struct Comparison {
  std::string case_name;
  const Metric* metric = nullptr;  // null when a whole case vanished or is new
  Estimate base, now;
  Estimate ratio;                    // now / base, as measured
  std::optional<Estimate> relative;  // now / base of the shares, so without changes of the machine's own speed
  double p_value = 1;                // of a timed metric, corrected for the number of metrics
  Change change = Change::kSame;
  std::string why;  // why the change can't be told
};

struct CompareOptions {
  double tolerance = 0.05;  // of timed metrics; exact ones have their own
  /// Compare reports of different machines or configs anyway. Then only values relative to the probe are compared.
  bool different = false;
  bool exact_only = false;  // leave timed metrics to bench ab, which runs both sides in turns
};

/// Compares two reports metric by metric. Timed metrics are judged by their values relative to the speed probe if both
/// reports have these. Their p-values are corrected by Holm's method. If either side has only one process, a change of
/// a timed metric can't be told: speed varies from process to process, and one process doesn't show by how much. Throws
/// Error if the reports are of different machines, devices or configs, unless `options.different` is set.
std::vector<Comparison> compare_reports(const Report& base, const Report& now, const CompareOptions& options);

/// 1 when something got worse or vanished, 4 when something can't be told or nothing was compared, else 0.
Exit exit_code(const std::vector<Comparison>& comparisons);

}  // namespace bench::harness
