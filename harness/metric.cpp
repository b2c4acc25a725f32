#include "harness/metric.h"

#include <algorithm>

namespace bench::harness {
namespace {

/// Of several processes' values of an exact metric the one that a gate should see.
bool is_worse(Better better, double a, double b) { return better == Better::kHigher ? a < b : a > b; }

}  // namespace

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

std::optional<Estimate> evaluate(const Metric& metric, const std::vector<Record>& processes) {
  std::vector<Estimate> estimates;
  for (const auto& record : processes)
    if (const auto estimate = metric.formula(record)) estimates.push_back(*estimate);
  if (estimates.empty()) return {};
  if (estimates.size() == 1) return estimates[0];
  if (metric.nature == Nature::kExact)
    return *std::max_element(estimates.begin(), estimates.end(), [&](const Estimate& a, const Estimate& b) {
      return is_worse(metric.better, b.value, a.value);
    });
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
