#pragma once

#include "harness/judging/gate.h"

#include <optional>
#include <string>
#include <vector>

namespace bench::harness {

/// What a gate compares with its limit: its metric over all processes of its case, or with `relative_to` the ratio to
/// the same metric of that case. `base`: what that case's processes left; nullptr if it did not run, or there is none.
/// Nothing when it can't be known.
std::optional<Estimate> gate_value(const Metric& metric, const GateConfig& gate, const std::vector<Record>& processes,
                                   const std::vector<Record>* base = nullptr);

/// Why the case that a gate is relative to gives nothing to divide by, or "".
std::string missing_base(const Metric& metric, const GateConfig& gate, const std::vector<Record>* base);

}  // namespace bench::harness
