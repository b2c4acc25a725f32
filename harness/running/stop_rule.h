#pragma once

#include "harness/judging/gate.h"

namespace bench::harness {

/// When the processes of a case have measured enough: every gate on a timed metric is decided, or there is none and the
/// case's speed is known to within `precision` (half of the interval's width, as a share of the value). That is also
/// what a gate on a ratio asks here of each of its two cases.
///
/// Who looks often enough at a 95 % interval will see it exclude anything once. So a gate counts as decided only when
/// an interval stretched by 1.7 excludes its limit, which makes about 99.9 % of 95 %.
bool measured_enough(const std::vector<Record>& processes, const std::vector<GateConfig>& gates, double precision);

/// Whether a gate on a ratio is decided by what both cases' processes left.
bool ratio_decided(const GateConfig& gate, const std::vector<Record>& processes, const std::vector<Record>& base);

}  // namespace bench::harness
