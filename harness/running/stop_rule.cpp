#include "harness/running/stop_rule.h"

#include "harness/judging/gate_value.h"

#include <algorithm>

namespace bench::harness {
namespace {

constexpr double kStretch = 3.29 / 1.96;  // the normal distribution's quantiles for 99.9 % and 95 %

/// Whether the value is known well enough to say on which side of the limit it lies, however often one looks.
bool decided_by(const GateConfig& gate, const Estimate& e) {
  return e.has_interval() && gate.side(e.widened(kStretch)) != Side::kAcross;
}

/// Whether any times were taken to which the stop rule applies.
bool timed_in_blocks(const std::vector<Record>& processes) {
  return std::ranges::any_of(processes, [](const auto& record) { return !record.blocks.empty(); });
}

bool decided(const GateConfig& gate, const std::vector<Record>& processes) {
  const auto estimate = gate_value(*find_metric(gate.metric, processes), gate, processes);
  // Times that don't make a value yet decide nothing, for example the times of training before its first update.
  if (!estimate) return !timed_in_blocks(processes);
  return decided_by(gate, *estimate);
}

/// Whether the metric is the speed of these processes' case. If the case declares timed metrics, these are its speed;
/// otherwise the built-in one is.
bool is_speed(const Metric& metric, const std::vector<Record>& processes) {
  const auto timed = [](const DeclaredMetric& one) { return one.nature == "timed"; };
  const auto& declared = processes[0].declared;
  if (std::ranges::any_of(declared, timed))
    return metric.nature == Nature::kTimed && processes[0].declares(metric.name);
  return metric.is_speed;
}

bool precise(const std::vector<Record>& processes, double precision) {
  bool known = !timed_in_blocks(processes);
  for (const Metric* metric : metrics_of(processes)) {
    if (!is_speed(*metric, processes)) continue;
    const auto estimate = evaluate(*metric, processes);
    if (!estimate) continue;
    if (!estimate->has_interval() || estimate->relative_half_width() > precision) return false;
    known = true;
  }
  return known;
}

}  // namespace

bool measured_enough(const std::vector<Record>& processes, const std::vector<GateConfig>& gates, double precision) {
  std::vector<GateConfig> timed;
  std::ranges::copy_if(gates, std::back_inserter(timed),
                       [&](const auto& gate) { return find_metric(gate.metric, processes)->nature == Nature::kTimed; });
  const auto relative = [](const GateConfig& gate) { return !gate.relative_to.empty(); };
  // One case alone can't decide a ratio of two.
  if (timed.empty() || std::ranges::any_of(timed, relative))
    if (!precise(processes, precision)) return false;
  return std::ranges::all_of(timed, [&](const auto& gate) { return relative(gate) || decided(gate, processes); });
}

bool ratio_decided(const GateConfig& gate, const std::vector<Record>& processes, const std::vector<Record>& base) {
  const Metric* metric = find_metric(gate.metric, processes);
  const auto estimate = metric ? gate_value(*metric, gate, processes, &base) : std::nullopt;
  return estimate && decided_by(gate, *estimate);
}

}  // namespace bench::harness
