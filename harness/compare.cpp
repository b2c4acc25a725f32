#include "harness/compare.h"

#include <algorithm>

namespace bench::harness {
namespace {

using Change = Comparison::Change;

Change judge_change(const Metric& metric, const Estimate& base, const Estimate& now, double tolerance) {
  // Both directions by ratio, so that swapping the reports swaps the verdicts.
  const double limit = 1 + tolerance;
  const bool higher = now.value > base.value * limit && now.low > base.high;
  const bool lower = now.value * limit < base.value && now.high < base.low;
  if (!higher && !lower) return Change::kSame;
  return higher == (metric.better == Better::kHigher) ? Change::kBetter : Change::kWorse;
}

const MetricValue* find(const CaseResult& one, const Metric* metric) {
  const auto found =
      std::find_if(one.metrics.begin(), one.metrics.end(), [&](const auto& m) { return m.metric == metric; });
  return found == one.metrics.end() ? nullptr : &*found;
}

const CaseResult* find(const Report& report, const std::string& name) {
  const auto found =
      std::find_if(report.cases.begin(), report.cases.end(), [&](const auto& c) { return c.record.name == name; });
  return found == report.cases.end() ? nullptr : &*found;
}

}  // namespace

const char* change_name(Comparison::Change change) {
  switch (change) {
    case Change::kSame:
      return "same";
    case Change::kBetter:
      return "better";
    case Change::kWorse:
      return "worse";
    case Change::kVanished:
      return "vanished";
    case Change::kNew:
      return "new";
  }
  return "?";
}

std::vector<Comparison> compare_reports(const Report& base, const Report& now, double tolerance) {
  std::vector<Comparison> rows;
  for (const auto& old_case : base.cases) {
    const CaseResult* new_case = find(now, old_case.record.name);
    if (!new_case) {
      rows.push_back({old_case.record.name, nullptr, 0, 0, 0, Change::kVanished});
      continue;
    }
    for (const auto& [metric, estimate] : old_case.metrics) {
      if (!metric->compared || estimate.n == 0) continue;  // 0: an estimate, not a measurement
      const MetricValue* value = find(*new_case, metric);
      if (!value) {
        rows.push_back({old_case.record.name, metric, estimate.value, 0, 0, Change::kVanished});
        continue;
      }
      const double ratio = estimate.value == value->estimate.value ? 1 : value->estimate.value / estimate.value;
      rows.push_back({old_case.record.name, metric, estimate.value, value->estimate.value, ratio,
                      judge_change(*metric, estimate, value->estimate, tolerance)});
    }
  }
  for (const auto& new_case : now.cases)
    if (!find(base, new_case.record.name)) rows.push_back({new_case.record.name, nullptr, 0, 0, 0, Change::kNew});
  return rows;
}

bool has_regression(const std::vector<Comparison>& rows) {
  return std::any_of(rows.begin(), rows.end(),
                     [](const auto& r) { return r.change == Change::kWorse || r.change == Change::kVanished; });
}

}  // namespace bench::harness
