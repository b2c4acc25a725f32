#include "harness/reports/reports.h"
#include "harness/reports/text.h"

#include <cmath>

namespace bench::harness {
namespace {

/// "s/tokens" of "tokens/s".
std::string inverse_unit(const std::string& unit) {
  const auto slash = unit.find('/');
  return slash == std::string::npos ? "1/" + unit : unit.substr(slash + 1) + "/" + unit.substr(0, slash);
}

Json entry(const Report& report, const CaseResult& one, const MetricValue& value) {
  const Metric& metric = *value.metric;
  const bool inverted = metric.better == Better::kHigher;
  const Estimate e = inverted ? quotient(1, value.estimate) : value.estimate;
  Json json = {{"name", one.name + ": " + (inverted ? "1 / " : "") + metric.name},
               {"unit", inverted ? inverse_unit(metric.unit) : metric.unit},
               {"value", e.value}};
  if (e.has_interval()) json["range"] = fmt::format("{:.4g} .. {:.4g}", e.low, e.high);
  json["extra"] =
      fmt::format("{} {}{}, n = {}, {}\n{}\n{}", metric.name, format_estimate(value.estimate), unit_suffix(metric.unit),
                  value.estimate.n, plural(one.processes.size(), "process"), metric.meaning, report.machine());
  return json;
}

}  // namespace

/// The action takes one direction for a whole file. A checksum has none and stays out.
void write_github_benchmark(const Report& report, std::ostream& out) {
  Json entries = Json::array();
  for (const auto& one : report.cases)
    for (const auto& value : one.metrics) {
      if (!value.metric->compared || value.metric->better == Better::kUnchanged) continue;
      const Json json = entry(report, one, value);
      if (std::isfinite(json.at("value").get<double>())) entries.push_back(json);
    }
  out << dumped(entries, 1) << "\n";
}

}  // namespace bench::harness
