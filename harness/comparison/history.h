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
  double judged = 0;  // the value of Trend::judged_by: what the search for changes saw
  bool is_number() const { return std::isfinite(estimate.value); }
};

/// One metric of one case on one machine over many reports, oldest first.
struct Trend {
  std::string suite, case_name, machine;
  const Metric* metric = nullptr;
  std::vector<TrendPoint> points;
  /// The last may be one to what is no number, at its first point: that one may be the first of all.
  std::vector<StepChange> steps;
  std::string device = {};
  /// The metric's share where every point that is a number has it, so that the machine's own drift cancels; else the
  /// metric itself.
  const Metric* judged_by = nullptr;
};

/// A report with the file that it came from.
struct DatedReport {
  std::string file;
  Report report;
};

/// Every compared metric over the reports, sorted by time, one trend for each suite, machine, device, case and metric.
/// Values that are no measurement (n = 0) are left out. One that is no number is a point: those at the end of a trend
/// are a step for the worse, those that numbers follow are none.
std::vector<Trend> find_trends(std::vector<DatedReport> reports);

/// Every report.json below a folder, without following links to folders; files that are no reports, or the same as
/// another, are named in `skipped` with the reason. Throws Error if that leaves none.
std::vector<DatedReport> read_reports(const std::filesystem::path& folder, std::vector<std::string>& skipped);

}  // namespace bench::harness
