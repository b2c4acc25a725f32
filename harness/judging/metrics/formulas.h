#pragma once

#include "harness/judging/metric.h"

#include <initializer_list>
#include <limits>
#include <optional>
#include <span>

// What the formulas of metrics share, and the families of metrics, whose order is that of the reports.
namespace bench::harness {

using Value = std::optional<Estimate>;

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();
inline constexpr double kPages = 0.02;      // resident memory differs by that from run to run
inline constexpr double kRounding = 0.005;  // of a loss after many steps, when a sum is done in another order
/// The cases that time work whose arithmetic is known.
inline constexpr const char* kTimedCases = "train prefill decode operator";

std::span<const Metric> training_metrics();
std::span<const Metric> quality_metrics();
std::span<const Metric> inference_metrics();
std::span<const Metric> work_metrics();
std::span<const Metric> memory_metrics();

/// A value as it stands. Whole numbers are divided by 1e9, not multiplied by 1e-9, so that they come out as their own
/// digits.
Value exactly(double value);
/// A value made of facts: nothing where one is missing. One that is not a number is a value, which fails its gate.
Value of_facts(const Record& r, std::initializer_list<const char*> names, double value);
Value fact(const Record& r, const char* name);
Value scaled(Value e, double factor);
/// A value that is only an estimate, of a quantity that lies in that range whatever was measured. What is not a number
/// stays as it is.
Value estimated_within(double least, double most, Value value);
/// work / time, where the interval of the time becomes that of the rate.
Value rate(Value time, double work);
Value mean_of(const Record& r, const char* series);
Value quantile_of(const Record& r, const char* series, double p);
Value median_of(const Record& r, const char* series);
Value first_of(const Record& r, const char* series);
/// The speed probe beside the blocks that count: its median. Of so few that ranks give no interval it is Student's t,
/// as wide as that of their mean.
Value probe(const Record& r, double Block::* speed);
/// Seconds of one optimizer step: its micro-batches and one update, each at its mean over all that were timed.
Value step_time(const Record& r);
Value prefill_rate(const Record& r, double work);
Value decode_rate(const Record& r, double work);
Value operator_rate(const Record& r, double work);
/// `work` for each unit of work (optimizer step, prompt, decode step, operator call) per second, whatever the case.
Value work_rate(const Record& r, double work);
double milliseconds(const Record&, double value);
double as_it_is(const Record&, double value);

}  // namespace bench::harness
