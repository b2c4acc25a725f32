#pragma once

#include "harness/core/stats.h"
#include "harness/judging/record.h"

#include <optional>
#include <span>
#include <string>

namespace bench::harness {

enum class Better {
  kHigher,
  kLower,
  kUnchanged,  // any change is a fault: a checksum
};

/// "higher", "lower" or "unchanged".
const char* better_name(Better better);

/// What a metric's value depends on besides the program.
enum class Nature {
  kTimed,  // on the moment: it is judged by its interval
  kExact,  // on nothing, or nearly nothing: it is judged by its value alone, and compared without statistics
};

/// A quantity computed from a record. The computation is pure: the same record gives the same value, even years later.
struct Metric {
  const char* name;
  const char* unit;
  Better better;
  Nature nature;
  const char* cases;  // the types of case that can measure it, by their names
  const char* meaning;
  /// Returns nothing if the record does not hold the quantity. nullptr for a declared metric, because of() reads its
  /// series.
  std::optional<Estimate> (*formula)(const Record&);
  /// Whether `bench compare` shows the metric. False for a metric that describes the machine, or that follows from
  /// another compared metric.
  bool compared = false;
  /// Whether the metric is the speed of its cases. This speed decides when enough was measured.
  bool is_speed = false;
  /// The name of the metric that states this one relative to the speed probe beside it, or nullptr.
  const char* share = nullptr;
  /// The name of the metric that bounds this one on the machine at hand, or nullptr. A target beyond that bound is out
  /// of reach on the machine.
  const char* ceiling = nullptr;
  /// The series that the metric's limits are drawn into, or nullptr. sample_at returns the sample of that series at
  /// which the metric has the given value.
  const char* drawn_in = nullptr;
  double (*sample_at)(const Record& record, double value) = nullptr;
  /// The largest relative change of an exact metric that still counts as no change. It allows for memory pages and
  /// rounding.
  double tolerance = 0;
  /// The series whose length an exact metric depends on, or nullptr. With another number of samples in that series, the
  /// metric is a different quantity.
  const char* after = nullptr;
  /// Whether the metric follows from the peak memory, which not every system reports.
  bool of_peak = false;

  bool measured_by(const std::string& case_type) const;
  /// The metric's value in that record. A metric that the record declares is computed from its series, any other by the
  /// formula.
  std::optional<Estimate> of(const Record& record) const;
};

/// What bounds the speed of a record's work on the machine at hand, as the speed probe measured it beside the work.
struct Roof {
  bool memory = false;  // true: memory reads, in bytes/s; false: matrix products, in FLOP/s
  Estimate speed;
};
/// Returns nothing if no work was counted or nothing was probed.
std::optional<Roof> roof_of(const Record& record);

/// The table of built-in metrics, in the order in which reports show them.
std::span<const Metric> metrics();
/// The built-in metric of that name, or nullptr.
const Metric* find_metric(const std::string& name);
std::vector<std::string> metric_names();

/// Returns the metric that a declaration stands for: the built-in metric if one has that name. Declarations with the
/// same name, unit, better and nature stand for the same metric.
const Metric& metric_of(const DeclaredMetric& declared);
/// The metric of that name among `declared`, else the built-in one, else nullptr.
const Metric* find_metric(const std::string& name, const std::vector<DeclaredMetric>& declared);
/// Does the same with all metrics that these processes declare.
const Metric* find_metric(const std::string& name, const std::vector<Record>& processes);
/// All built-in metrics, followed by those of `declared` that are not built in.
std::vector<const Metric*> metrics_with(const std::vector<DeclaredMetric>& declared);
/// All built-in metrics, followed by those that these processes declare and that are not built in.
std::vector<const Metric*> metrics_of(const std::vector<Record>& processes);

/// Why the metric's value in that record depends on work that was not done, or "". This is the case if a training case
/// did not make all its steps: the record's own case, or one that ran before it.
std::string undone(const Metric& metric, const Record& record);

/// The metric over all processes of a case. For a timed metric, the process is the statistical unit. For an exact
/// metric, the worst value counts. A metric that must not change is NaN if the values differ. Returns nothing if no
/// process has a value.
std::optional<Estimate> evaluate(const Metric& metric, const std::vector<Record>& processes);

/// The worst of several values (at least one) of an exact metric. For a metric that must not change, the result is NaN
/// if the values differ.
Estimate worst(const Metric& metric, const std::vector<Estimate>& estimates);

struct MetricValue {
  const Metric* metric;
  Estimate estimate;
};
/// Every metric for which the processes have the facts. Returns none if a process failed or was skipped.
std::vector<MetricValue> evaluate_metrics(const std::vector<Record>& processes);

}  // namespace bench::harness
