#include "harness/metric.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <sstream>

namespace bench::harness {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Nothing is worse than what is not a number.
bool is_worse(Better better, double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && !std::isnan(b);
  return better == Better::kHigher ? a < b : a > b;
}

}  // namespace

bool Metric::measured_by(const std::string& case_type) const {
  std::istringstream names(cases);
  return std::find(std::istream_iterator<std::string>(names), {}, case_type) != std::istream_iterator<std::string>();
}

const Metric* find_metric(const std::string& name) {
  const auto all = metrics();
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& m) { return name == m.name; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const auto& metric : metrics()) names.push_back(metric.name);
  return names;
}

Estimate worst(const Metric& metric, const std::vector<Estimate>& estimates) {
  Estimate result = estimates[0];
  for (const auto& one : estimates) {
    if (metric.better == Better::kUnchanged && one.value != estimates[0].value) return {kNan, kNan, kNan, one.n};
    if (is_worse(metric.better, one.value, result.value)) result = one;
  }
  // What one of them only estimates may be worse there, whatever the others measured.
  for (const auto& one : estimates)
    if (one.n == 0) result.n = 0, result.high = std::max(result.high, one.high);
  return result;
}

std::optional<Estimate> evaluate(const Metric& metric, const std::vector<Record>& processes) {
  std::vector<Estimate> estimates;
  for (const auto& record : processes)
    if (const auto estimate = metric.formula(record)) estimates.push_back(*estimate);
  if (estimates.empty()) return {};
  if (estimates.size() == 1) return estimates[0];
  if (metric.nature == Nature::kExact) return worst(metric, estimates);
  std::vector<double> values;
  for (const auto& estimate : estimates) values.push_back(estimate.value);
  return across_processes(values);
}

std::vector<MetricValue> evaluate_metrics(const std::vector<Record>& processes) {
  std::vector<MetricValue> values;
  for (const auto& record : processes)
    if (record.status != Record::Status::kOk) return values;
  for (const auto& metric : metrics())
    if (const auto estimate = evaluate(metric, processes)) values.push_back({&metric, *estimate});
  return values;
}

}  // namespace bench::harness
