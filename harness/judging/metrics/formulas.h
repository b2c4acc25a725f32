#pragma once

#include "harness/judging/metric.h"

#include <initializer_list>
#include <limits>
#include <optional>
#include <span>

// What the formulas of metrics share, and the families of metrics in the order in which reports show them.
namespace bench::harness {

using Value = std::optional<Estimate>;

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kPages = 0.02;      // resident memory differs by this share from run to run
inline constexpr double kRounding = 0.005;  // of a loss after many steps, if sums are added in another order
/// The cases that time work whose arithmetic is known.
inline constexpr const char* kTimedCases = "train prefill decode operator";

std::span<const Metric> training_metrics();
std::span<const Metric> quality_metrics();
std::span<const Metric> inference_metrics();
std::span<const Metric> work_metrics();
std::span<const Metric> memory_metrics();

/// A value as it stands. Divide a whole number by 1e9 instead of multiplying it by 1e-9, so that its digits come out
/// unchanged.
Value exactly(double value);
/// A value computed from facts. Returns nothing if one of these facts is missing. NaN is a value too, and it fails its
/// gate.
Value of_facts(const Record& r, std::initializer_list<const char*> names, double value);
Value fact(const Record& r, const char* name);
Value scaled(Value e, double factor);
/// Turns a value into one that is only an estimate. Its interval becomes the range in which the quantity lies whatever
/// was measured. NaN stays as it is.
Value estimated_within(double least, double most, Value value);
/// work / time. The interval of the time becomes the interval of the rate.
Value rate(Value time, double work);
Value mean_of(const Record& r, const char* series);
Value quantile_of(const Record& r, const char* series, double p);
Value median_of(const Record& r, const char* series);
Value first_of(const Record& r, const char* series);
/// The median of the speed probe beside the blocks that count. With too few blocks for an interval by ranks, the
/// interval is Student's t, as wide as the one of the probes' mean.
Value probe(const Record& r, double Block::* speed);
/// Seconds of one optimizer step: its micro-batches and one update. Each part is the mean over all that were timed.
Value step_time(const Record& r);
Value prefill_rate(const Record& r, double work);
Value decode_rate(const Record& r, double work);
Value operator_rate(const Record& r, double work);
/// `work` per second, for a case of any type. `work` is the amount for one unit of work: an optimizer step, a prompt, a
/// decode step or an operator call.
Value work_rate(const Record& r, double work);
double milliseconds(const Record&, double value);
double as_it_is(const Record&, double value);

}  // namespace bench::harness
