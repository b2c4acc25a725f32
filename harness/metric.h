#pragma once

#include "harness/core/stats.h"
#include "harness/record.h"

#include <optional>
#include <span>
#include <string>

namespace bench::harness {

enum class Better { kHigher, kLower };

/// A quantity computed from a record. Pure: the same record gives the same value, years later.
struct Metric {
  const char* name;
  const char* unit;
  Better better;
  const char* meaning;
  /// Nothing when the record holds no such quantity.
  std::optional<Estimate> (*formula)(const Record&);
  /// The metric that bounds this one on the machine at hand, or nullptr: a target beyond it is out of reach there.
  const char* ceiling = nullptr;
  /// False for what belongs to the machine or is derived from a compared metric: bench compare leaves it out.
  bool compared = true;
};

/// The table of metrics, in the order in which reports show them.
std::span<const Metric> metrics();
/// The metric of that name, or nullptr.
const Metric* find_metric(const std::string& name);
std::vector<std::string> metric_names();

struct MetricValue {
  const Metric* metric;
  Estimate estimate;
};
/// Every metric that the record has the facts for.
std::vector<MetricValue> evaluate_metrics(const Record& record);

}  // namespace bench::harness
