#pragma once

#include "harness/judging/gate.h"

#include <optional>
#include <string>
#include <vector>

namespace bench::harness {

/// Computes what a gate compares with its limit: its metric over all processes of its case. With `relative_to` it is
/// the ratio of that metric to the same metric of the base case, which `relative_to` names. `base`: what the processes
/// of the base case left; nullptr if that case did not run, or if there is no base case. Returns nothing if the value
/// can't be known.
std::optional<Estimate> gate_value(const Metric& metric, const GateConfig& gate, const std::vector<Record>& processes,
                                   const std::vector<Record>* base = nullptr);

/// Why the case that a gate is relative to gives no value to divide by, or "" if it gives one.
std::string missing_base(const Metric& metric, const GateConfig& gate, const std::vector<Record>* base);

}  // namespace bench::harness
