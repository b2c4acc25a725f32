#include "harness/reports/reports.h"
#include "harness/reports/text.h"

#include <cmath>

namespace bench::harness {
namespace {

// The action compares values by their ratio and doesn't notice a missing value. This value stands for a metric that is
// not a number, and for the metrics of a case that did not work. No time, memory or loss comes near it.
constexpr double kFailing = 1e99;

/// "s/tokens" of "tokens/s".
std::string inverse_unit(const std::string& unit) {
  const auto slash = unit.find('/');
  return slash == std::string::npos ? "1/" + unit : unit.substr(slash + 1) + "/" + unit.substr(0, slash);
}

/// Makes an entry. The action takes one direction for a whole file, so the inverse is written of what should be large.
Json entry(const CaseResult& one, const Metric& metric, double value) {
  const bool inverted = metric.better == Better::kHigher;
  return {{"name", one.name + ": " + (inverted ? "1 / " : "") + metric.name},
          {"unit", inverted ? inverse_unit(metric.unit) : metric.unit},
          {"value", value}};
}

Json entry(const Report& report, const CaseResult& one, const MetricValue& value) {
  const Metric& metric = *value.metric;
  const Estimate e = metric.better == Better::kHigher ? quotient(1, value.estimate) : value.estimate;
  const bool broken = !std::isfinite(value.estimate.value) || !std::isfinite(e.value);
  Json json = entry(one, metric, broken ? kFailing : e.value);
  if (e.has_interval() && !broken) json["range"] = fmt::format("{:.4g} .. {:.4g}", e.low, e.high);
  json["extra"] = fmt::format("{}{} {}{}, n = {}, {}\n{}\n{}",
                              broken ? "no number, for which this value stands so that it fails: " : "", metric.name,
                              format_estimate(value.estimate), unit_suffix(metric.unit), value.estimate.n,
                              plural(one.processes.size(), "process"), metric.meaning, report.machine());
  return json;
}

/// A checksum has no direction and stays out.
bool is_shown(const Metric& metric) { return metric.compared && metric.better != Better::kUnchanged; }

/// Whether the case was due and left nothing to compare. One that was skipped, for want of a checkpoint, was not due.
bool did_not_work(const CaseResult& one) {
  return one.status() != Record::Status::kOk && one.status() != Record::Status::kSkipped;
}

/// An entry for each metric that such a case may have had in the report before.
void add_failing(const CaseResult& one, Json& entries) {
  for (const Metric* metric : metrics_of(one.processes)) {
    if (!is_shown(*metric) || !(metric->measured_by(one.type) || one.record().declares(metric->name))) continue;
    Json json = entry(one, *metric, kFailing);
    json["extra"] = "the case did not work, for which this value stands so that it fails: " + one.record().reason;
    entries.push_back(std::move(json));
  }
}

}  // namespace

void write_github_benchmark(const Report& report, std::ostream& out) {
  Json entries = Json::array();
  for (const auto& one : report.cases) {
    if (did_not_work(one)) add_failing(one, entries);
    for (const auto& value : one.metrics)
      if (is_shown(*value.metric)) entries.push_back(entry(report, one, value));
  }
  out << dumped(entries, 1) << "\n";
}

}  // namespace bench::harness
