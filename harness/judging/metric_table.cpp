#include "harness/judging/metrics/formulas.h"

namespace bench::harness {

std::span<const Metric> metrics() {
  static const std::vector<Metric> all = [] {
    std::vector<Metric> rows;
    for (const auto family :
         {training_metrics(), quality_metrics(), inference_metrics(), work_metrics(), memory_metrics()})
      rows.insert(rows.end(), family.begin(), family.end());
    return rows;
  }();
  return all;
}

}  // namespace bench::harness
