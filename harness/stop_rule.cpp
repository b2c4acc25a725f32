#include "harness/stop_rule.h"

#include <algorithm>

namespace bench::harness {
namespace {

constexpr double kStretch = 3.29 / 1.96;  // the normal distribution's quantiles for 99.9 % and 95 %

bool decided(const GateConfig& gate, const std::vector<Record>& processes) {
  const auto estimate = evaluate(*find_metric(gate.metric), processes);
  return !estimate || (estimate->has_interval() && gate.side(estimate->widened(kStretch)) != Side::kAcross);
}

/// The speed of a case is the metric that has a share of the ceiling.
bool precise(const std::vector<Record>& processes, double precision) {
  return std::all_of(metrics().begin(), metrics().end(), [&](const Metric& metric) {
    if (!metric.share) return true;
    const auto estimate = evaluate(metric, processes);
    return !estimate || (estimate->has_interval() && estimate->relative_half_width() <= precision);
  });
}

}  // namespace

bool measured_enough(const std::vector<Record>& processes, const std::vector<GateConfig>& gates, double precision) {
  std::vector<GateConfig> timed;
  std::copy_if(gates.begin(), gates.end(), std::back_inserter(timed),
               [](const auto& gate) { return find_metric(gate.metric)->nature == Nature::kTimed; });
  if (timed.empty()) return precise(processes, precision);
  return std::all_of(timed.begin(), timed.end(), [&](const auto& gate) { return decided(gate, processes); });
}

}  // namespace bench::harness
