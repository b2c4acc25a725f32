#include "harness/judging/metric.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <sstream>

namespace bench::harness {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// A value that is NaN or infinite is worse than any other value.
bool is_worse(Better better, double a, double b) {
  if (!std::isfinite(a) || !std::isfinite(b)) return !std::isfinite(a) && std::isfinite(b);
  return better == Better::kHigher ? a < b : a > b;
}

}  // namespace

const char* better_name(Better better) {
  return better == Better::kHigher ? "higher" : better == Better::kLower ? "lower" : "unchanged";
}

bool Metric::measured_by(const std::string& case_type) const {
  std::istringstream names(cases);
  return std::find(std::istream_iterator<std::string>(names), {}, case_type) != std::istream_iterator<std::string>();
}

std::optional<Estimate> Metric::of(const Record& record) const {
  if (!record.declares(name)) return formula ? formula(record) : std::nullopt;
  const auto samples = record.counted(name);
  if (samples.empty() || record.series.at(name).unit != unit) return {};
  if (nature == Nature::kTimed) return quantile_estimate(samples, 0.5);
  std::vector<Estimate> points;
  for (const double sample : samples) points.push_back(Estimate::point(sample, samples.size()));
  return worst(*this, points);
}

const Metric* find_metric(const std::string& name) {
  const auto all = metrics();
  const auto found = std::ranges::find(all, name, &Metric::name);
  return found == all.end() ? nullptr : &*found;
}

const Metric* find_metric(const std::string& name, const std::vector<DeclaredMetric>& declared) {
  const DeclaredMetric* one = find_declared(declared, name);
  return one ? &metric_of(*one) : find_metric(name);
}

const Metric* find_metric(const std::string& name, const std::vector<Record>& processes) {
  for (const auto& record : processes)
    if (record.declares(name)) return find_metric(name, record.declared);
  return find_metric(name);
}

std::vector<const Metric*> metrics_with(const std::vector<DeclaredMetric>& declared) {
  std::vector<const Metric*> all;
  for (const auto& metric : metrics()) all.push_back(&metric);
  for (const auto& one : declared)
    if (const Metric& metric = metric_of(one); std::ranges::find(all, &metric) == all.end()) all.push_back(&metric);
  return all;
}

std::vector<const Metric*> metrics_of(const std::vector<Record>& processes) {
  std::vector<DeclaredMetric> declared;
  for (const auto& record : processes) declared.insert(declared.end(), record.declared.begin(), record.declared.end());
  return metrics_with(declared);
}

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const auto& metric : metrics()) names.push_back(metric.name);
  return names;
}

std::string undone(const Metric& metric, const Record& record) {
  if (std::string before = record.came_after_cut(); !before.empty()) return before;
  return metric.after ? record.steps_cut() : "";
}

Estimate worst(const Metric& metric, const std::vector<Estimate>& estimates) {
  Estimate result = estimates[0];
  for (const auto& one : estimates) {
    if (metric.better == Better::kUnchanged && one.value != estimates[0].value) return Estimate::point(kNan, one.n);
    if (is_worse(metric.better, one.value, result.value)) result = one;
  }
  // A value that is only an estimate may be worse than it looks, whatever the others measured.
  for (const auto& one : estimates) {
    if (one.n > 0) continue;
    result.n = 0;
    if (!std::isnan(one.high)) result.low = result.least(), result.high = std::max(result.most(), one.high);
  }
  return result;
}

std::optional<Estimate> evaluate(const Metric& metric, const std::vector<Record>& processes) {
  std::vector<Estimate> estimates;
  for (const auto& record : processes)
    if (const auto estimate = metric.of(record)) estimates.push_back(*estimate);
  if (estimates.empty()) return {};
  Estimate e = estimates[0];
  if (estimates.size() > 1 && metric.nature == Nature::kExact) e = worst(metric, estimates);
  if (estimates.size() > 1 && metric.nature == Nature::kTimed) {
    std::vector<double> values;
    for (const auto& estimate : estimates) values.push_back(estimate.value);
    e = across_processes(values);
  }
  return e.has_interval() ? e : Estimate::point(e.value, e.n);  // equal samples say nothing about the spread
}

std::vector<MetricValue> evaluate_metrics(const std::vector<Record>& processes) {
  std::vector<MetricValue> values;
  for (const auto& record : processes)
    if (record.status != Record::Status::kOk) return values;
  for (const Metric* metric : metrics_of(processes))
    if (const auto estimate = evaluate(*metric, processes)) values.push_back({metric, *estimate});
  return values;
}

}  // namespace bench::harness
