#pragma once

#include "harness/judging/gate.h"

namespace bench::harness {

/// Whether the processes of a case have measured enough: every gate on a timed metric is decided. Without such a gate,
/// the case's speed must be known to within `precision` (half of the interval's width, as a share of the value). A gate
/// on a ratio demands this precision of each of its two cases too.
///
/// If one looks often enough at a 95 % interval, it will exclude any limit once by chance. So a gate counts as decided
/// only when an interval stretched by 1.7 excludes its limit, which turns 95 % into about 99.9 %.
bool measured_enough(const std::vector<Record>& processes, const std::vector<GateConfig>& gates, double precision);

/// Whether what both cases' processes left decides a gate on a ratio.
bool ratio_decided(const GateConfig& gate, const std::vector<Record>& processes, const std::vector<Record>& base);

}  // namespace bench::harness
