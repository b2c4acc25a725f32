#pragma once

#include "harness/report.h"

#include <string>
#include <vector>

namespace bench::harness {

/// One metric of one case in two reports.
struct Comparison {
  enum class Change { kSame, kBetter, kWorse, kVanished, kNew };
  std::string case_name;
  const Metric* metric = nullptr;  // null when a whole case vanished or is new
  double base = 0, now = 0;
  double ratio = 0;  // now / base
  Change change = Change::kSame;
};

const char* change_name(Comparison::Change change);

/// Compares metric by metric. `tolerance` is the largest change that still counts as the same: 0.05 for 5 %. A change
/// counts only if the two intervals don't overlap either. A metric or case that vanished is worse.
std::vector<Comparison> compare_reports(const Report& base, const Report& now, double tolerance);

/// True if something got worse or vanished.
bool has_regression(const std::vector<Comparison>& comparisons);

}  // namespace bench::harness
