#pragma once

#include "harness/comparison/step_change.h"
#include "harness/judging/report.h"

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

namespace bench::harness {

struct TrendPoint {
  std::string created, commit, file;
  bool dirty = false;
  Estimate estimate;
  double judged = 0;  // the value of Trend::judged_by, which the search for changes uses
  bool is_number() const { return std::isfinite(estimate.value); }
};

/// One metric of one case on one machine over many reports, oldest first.
struct Trend {
  std::string suite, case_name, machine;
  const Metric* metric = nullptr;
  std::vector<TrendPoint> points;
  /// The changes, in order. The last one may be a change to values that are not numbers. Its index is the first of
  /// these points, which may be the first point of the trend.
  std::vector<StepChange> steps;
  std::string device = {};
  /// The metric whose values are searched for changes. It is the metric's share if every point that is a number has
  /// one, so that the machine's own drift cancels. Otherwise it is the metric itself.
  const Metric* judged_by = nullptr;
};

/// A report with the file that it came from.
struct DatedReport {
  std::string file;
  Report report;
};

/// Follows every compared metric over the reports, sorted by time. There is one trend for each combination of suite,
/// machine, device, case and metric. Values that are not measurements (n = 0), and exact ones of work that was not all
/// done, are left out. A value that is not a number is still a point. Such points at the end of a trend are a step for
/// the worse. If numbers follow them, they are no step.
std::vector<Trend> find_trends(std::vector<DatedReport> reports);

/// Reads every report.json below a folder, without following links to folders. Files that are not reports, or that are
/// copies of another one, are named in `skipped` with the reason. Throws Error if no report is left.
std::vector<DatedReport> read_reports(const std::filesystem::path& folder, std::vector<std::string>& skipped);

}  // namespace bench::harness
