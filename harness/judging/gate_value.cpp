#include "harness/judging/gate_value.h"

#include <algorithm>
#include <cmath>

namespace bench::harness {
namespace {

/// How much faster the machine was beside the first record than beside the second, on the logarithmic scale. Returns 0
/// if a speed has no roof, or if the two roofs are of different kinds, since each kind changes independently.
double log_machine_ratio(const Metric& metric, const Record& first, const Record& second) {
  const auto a = roof_of(first), b = roof_of(second);
  if (!metric.share || !a || !b || a->memory != b->memory) return 0;
  return std::log(a->speed.value / b->speed.value);
}

/// Takes the processes as pairs, in the order in which they ran. In each round a run starts one process of each case,
/// and it runs a case and its base case one after the other. A difference in the machine's speed between the two
/// processes of a pair is removed. A single pair says nothing about the spread. The ratios are averaged as logarithms,
/// so that 2 and 1/2 are equally far from 1.
std::optional<Estimate> ratio_of_pairs(const Metric& metric, const std::vector<Record>& processes,
                                       const std::vector<Record>& base) {
  std::vector<double> logs;
  for (std::size_t i = 0; i < std::min(processes.size(), base.size()); ++i) {
    const auto own = metric.of(processes[i]), other = metric.of(base[i]);
    if (!own || !other) continue;
    const double machine = log_machine_ratio(metric, processes[i], base[i]);
    logs.push_back(std::log(own->value / other->value) + (metric.better == Better::kLower ? machine : -machine));
  }
  if (logs.empty()) return {};
  const Estimate e = across_units(logs);
  return Estimate{std::exp(e.value), std::exp(e.low), std::exp(e.high), e.n};
}

/// The worst ratio of all pairs of processes.
std::optional<Estimate> worst_ratio(const Metric& metric, const std::vector<Record>& processes,
                                    const std::vector<Record>& base) {
  std::vector<Estimate> ratios;
  for (const auto& record : processes)
    for (const auto& other_record : base) {
      const auto own = metric.of(record), other = metric.of(other_record);
      if (own && other) ratios.push_back(ratio(*own, *other));
    }
  return ratios.empty() ? std::nullopt : std::optional{worst(metric, ratios)};
}

}  // namespace

std::string missing_base(const Metric& metric, const GateConfig& gate, const std::vector<Record>* base) {
  if (gate.relative_to.empty()) return "";
  if (!base) return fmt::format("case '{}', which it is relative to, did not run", gate.relative_to);
  if (find_metric(gate.metric, *base) != &metric)
    return fmt::format("case '{}' has another {}: in another unit, or the other way round", gate.relative_to,
                       gate.metric);
  bool measured = false;
  for (const auto& record : *base) {
    if (record.status != Record::Status::kOk) return fmt::format("{}: {}", gate.relative_to, record.reason);
    const auto value = metric.of(record);
    if (!value) continue;
    if (!(value->value > 0) || std::isinf(value->value) || value->n == 0)
      return fmt::format("case '{}' has no {} to divide by", gate.relative_to, gate.metric);
    measured = true;
  }
  return measured ? "" : fmt::format("case '{}' measured no {}", gate.relative_to, gate.metric);
}

std::optional<Estimate> gate_value(const Metric& metric, const GateConfig& gate, const std::vector<Record>& processes,
                                   const std::vector<Record>* base) {
  if (gate.relative_to.empty()) return evaluate(metric, processes);
  if (!missing_base(metric, gate, base).empty()) return {};
  return metric.nature == Nature::kTimed ? ratio_of_pairs(metric, processes, *base)
                                         : worst_ratio(metric, processes, *base);
}

}  // namespace bench::harness
