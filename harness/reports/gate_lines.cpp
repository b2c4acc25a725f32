#include "harness/reports/gate_lines.h"

#include <cmath>

namespace bench::harness {

std::vector<GateLine> gate_lines(const CaseResult& one, const std::string& series) {
  std::vector<GateLine> lines;
  for (const auto& gate : one.gates) {
    const Metric* metric = find_metric(gate.metric, one.processes);
    if (!metric || !metric->drawn_in || series != metric->drawn_in || !gate.relative_to.empty()) continue;
    for (const double limit : gate.limit())
      if (const double at = metric->sample_at(one.record(), limit); std::isfinite(at) && at > 0)
        lines.push_back({at, gate.metric + " " + gate.text()});
  }
  return lines;
}

}  // namespace bench::harness
