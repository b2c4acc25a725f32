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
  kTimed,  // on the moment: an interval decides about it
  kExact,  // on nothing, or nearly: it is decided as it stands, and compared without statistics
};

/// A quantity computed from a record. Pure: the same record gives the same value, years later.
struct Metric {
  const char* name;
  const char* unit;
  Better better;
  Nature nature;
  const char* cases;  // the types of case that can measure it, by their names
  const char* meaning;
  /// Nothing when the record holds no such quantity. Of a declared metric nullptr: of() reads its series.
  std::optional<Estimate> (*formula)(const Record&);
  /// Whether bench compare shows it. False for what belongs to the machine or follows from a compared metric.
  bool compared = false;
  /// Whether it is the speed of its cases, which decides when enough was measured.
  bool is_speed = false;
  /// The metric that states this one relative to the speed probe beside it, or nullptr.
  const char* share = nullptr;
  /// The metric that bounds this one on the machine at hand, or nullptr: a target beyond it is out of reach there.
  const char* ceiling = nullptr;
  /// The series that its limits are drawn into, or nullptr, and the sample of it at which the metric has that value.
  const char* drawn_in = nullptr;
  double (*sample_at)(const Record& record, double value) = nullptr;
  /// The relative change of an exact metric that still counts as none: pages and rounding.
  double tolerance = 0;
  /// The series whose length an exact metric depends on, or nullptr: with another number of samples it is another
  /// thing.
  const char* after = nullptr;
  /// Whether it follows from the peak memory, which not every system tells.
  bool of_peak = false;

  bool measured_by(const std::string& case_type) const;
  /// The metric of that record: of the series that it declares for it, else by the formula.
  std::optional<Estimate> of(const Record& record) const;
};

/// What bounds the speed of a record's work on the machine at hand, as probed beside it.
struct Roof {
  bool memory = false;  // reads, in bytes/s; else matrix products, in FLOP/s
  Estimate speed;
};
/// Nothing where no work was counted or nothing probed.
std::optional<Roof> roof_of(const Record& record);

/// The table of built-in metrics, in the order in which reports show them.
std::span<const Metric> metrics();
/// The built-in metric of that name, or nullptr.
const Metric* find_metric(const std::string& name);
std::vector<std::string> metric_names();

/// The metric that a declaration stands for, of any name a built-in one has that. Two alike are the same one.
const Metric& metric_of(const DeclaredMetric& declared);
/// The built-in metric of that name, or the one among these, or nullptr.
const Metric* find_metric(const std::string& name, const std::vector<DeclaredMetric>& declared);
/// The same among all that these processes declare.
const Metric* find_metric(const std::string& name, const std::vector<Record>& processes);
/// All built-in metrics, and behind them those that are none of them.
std::vector<const Metric*> metrics_with(const std::vector<DeclaredMetric>& declared);
/// The same with what these processes declare.
std::vector<const Metric*> metrics_of(const std::vector<Record>& processes);

/// Why the metric's value in that record depends on work that was not done, or "": steps that a training case, or one
/// before this, did not make.
std::string undone(const Metric& metric, const Record& record);

/// The metric over all processes of a case: for a timed one the process is the unit, of exact ones the worst counts,
/// and of one that must not change NaN when they differ. Nothing when no process has it.
std::optional<Estimate> evaluate(const Metric& metric, const std::vector<Record>& processes);

/// The worst of several values (at least one) of an exact metric. Of one that must not change it is none of those that
/// differ: not a number.
Estimate worst(const Metric& metric, const std::vector<Estimate>& estimates);

struct MetricValue {
  const Metric* metric;
  Estimate estimate;
};
/// Every metric that the processes have the facts for. None if one of them failed or was skipped.
std::vector<MetricValue> evaluate_metrics(const std::vector<Record>& processes);

}  // namespace bench::harness
