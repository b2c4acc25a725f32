#include "harness/comparison/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace bench::harness {
namespace {

constexpr Estimate kNothing{.value = std::numeric_limits<double>::quiet_NaN()};

/// Why the times of the case can't be judged, or "".
std::string untrusted(const CaseResult& one, const char* which) {
  if (one.processes.size() < 2)
    return fmt::format("{}: one process only, and speed varies from one to the next (processes: 5 in the suite)",
                       which);
  for (const auto& record : one.processes)
    if (const std::string why = record.was_disturbed(); !why.empty()) return fmt::format("{}: {}", which, why);
  return "";
}

/// Infinite if there is no interval, or if it reaches zero or infinity: then the values decide nothing.
double log_half_width(const Estimate& e) {
  return e.has_interval() && e.low > 0 ? std::log(e.high / e.low) / 2 : std::numeric_limits<double>::infinity();
}

/// Fills in ratio, relative, and the p-value of a timed metric, which is not corrected yet.
void measure_change(const CaseResult& base_case, const CaseResult& now_case, Comparison& row) {
  row.ratio = ratio(row.now, row.base);
  const Estimate* base_share = row.metric->share ? find_estimate(base_case, row.metric->share) : nullptr;
  const Estimate* now_share = row.metric->share ? find_estimate(now_case, row.metric->share) : nullptr;
  if (base_share && now_share) row.relative = ratio(*now_share, *base_share);
  row.why = untrusted(base_case, "base");
  if (row.relative && std::isnan(row.relative->value)) row.why = "a share of the ceiling is not a number";
  if (row.why.empty()) row.why = untrusted(now_case, "new");
  const Estimate& judged = row.relative.value_or(row.ratio);
  const double degrees = static_cast<double>(std::min(base_case.processes.size(), now_case.processes.size())) - 1;
  row.p_value = p_value(std::log(judged.value), log_half_width(judged), degrees);
}

/// The change on the logarithmic scale, positive for better.
double log_change(const Comparison& row) {
  if (row.relative) return std::log(row.relative->value);  // shares of the ceiling: higher is better
  return row.metric->better == Better::kLower ? -std::log(row.ratio.value) : std::log(row.ratio.value);
}

/// The change if a value is not finite. It is kWorse if only the new value is broken, and kCantTell if the base value
/// is broken. Returns nothing if both values are finite.
std::optional<Change> judge_broken(const Estimate& base, const Estimate& now, std::string& why) {
  if (std::isfinite(base.value) && std::isfinite(now.value)) return {};
  if (std::isfinite(base.value)) return Change::kWorse;
  why = std::isfinite(now.value) ? "base: is not a number" : "neither is a number";
  return Change::kCantTell;
}

/// The number of samples of that series in each process; nothing if the processes differ in it.
std::optional<std::size_t> common_length(const CaseResult& one, const std::string& series) {
  const std::size_t length = one.record().samples(series).size();
  for (const auto& record : one.processes)
    if (record.samples(series).size() != length) return {};
  return length;
}

/// The first reason that one of the case's processes gives, or "".
std::string first_reason(const CaseResult& one, std::string (Record::*reason)() const) {
  for (const auto& record : one.processes)
    if (std::string why = (record.*reason)(); !why.empty()) return why;
  return "";
}

/// Why a change of an exact metric can't be told, or "".
std::string why_exact_can_not_be_told(const CaseResult& base, const CaseResult& now, const Comparison& row) {
  if (row.now.n == 0) return fmt::format("new: estimated only: {}", first_reason(now, &Record::incomplete));
  for (const auto& [which, one] : {std::pair{"base", &base}, {"new", &now}})
    if (const std::string cut = first_reason(*one, &Record::came_after_cut); !cut.empty())
      return fmt::format("{}: {}", which, cut);
  const char* length = row.metric->after;
  if (length && (!common_length(base, length) || common_length(base, length) != common_length(now, length)))
    return "the time was up after different numbers of steps";
  return "";
}

Change judge_exact(const Metric& metric, double base, double now) {
  if (base == now) return Change::kSame;
  if (metric.better == Better::kUnchanged) return Change::kWorse;
  // Both directions are compared by ratio, so that swapping the reports swaps the verdicts.
  const double limit = 1 + metric.tolerance;
  const bool higher = now > base * limit, lower = now * limit < base;
  if (!higher && !lower) return Change::kSame;
  return higher == (metric.better == Better::kHigher) ? Change::kBetter : Change::kWorse;
}

void check_comparable(const Report& base, const Report& now) {
  const std::string hint = "--different compares what is relative to the machine's speed all the same";
  if (base.machine() != now.machine())
    throw Error("compare",
                fmt::format("the reports are of different machines: {} and {}", base.machine(), now.machine()), hint);
  if (base.device != now.device)
    throw Error("compare", fmt::format("the reports are of different devices: {} and {}", base.device, now.device),
                hint);
  for (const auto& old_case : base.cases)
    if (const CaseResult* new_case = find_case(now.cases, old_case.name))
      if (old_case.record().config != new_case->record().config)
        throw Error("compare", fmt::format("case '{}' has another config in the new report", old_case.name), hint);
}

void compare_cases(const CaseResult& base, const CaseResult& now, const CompareOptions& options,
                   std::vector<Comparison>& rows) {
  for (const auto& [metric, estimate] : base.metrics) {
    if (!metric->compared || estimate.n == 0) continue;  // n = 0 marks an estimate, not a measurement
    if (options.different && !metric->share) continue;
    if (options.exact_only && metric->nature != Nature::kExact) continue;
    Comparison row{base.name, metric, estimate, {}, {}, {}, 1, Change::kVanished, ""};
    if (const Estimate* value = find_estimate(now, *metric)) {
      row.now = *value;
      if (const auto broken = judge_broken(estimate, *value, row.why)) {
        row.change = *broken;
        row.ratio = kNothing;
      } else if (metric->nature == Nature::kTimed) {
        measure_change(base, now, row);
        row.change = Change::kCantTell;  // until all p-values are known
      } else {
        row.ratio = ratio(row.now, row.base);
        row.why = why_exact_can_not_be_told(base, now, row);
        row.change = row.why.empty() ? judge_exact(*metric, estimate.value, value->value) : Change::kCantTell;
      }
    } else if (metric->nature == Nature::kExact) {
      row.why = first_reason(now, &Record::partial);
      if (row.why.empty() && metric->of_peak) row.why = first_reason(now, &Record::peak_unread);
      if (!row.why.empty()) row.change = Change::kCantTell, row.now = row.ratio = kNothing;
    }
    const bool broken = !std::isfinite(row.base.value) || !std::isfinite(row.now.value);
    if (options.different && !row.relative && row.change != Change::kVanished && !broken) continue;
    rows.push_back(row);
  }
}

/// Which of the two cases has not been run, and why, or "".
std::string why_not_run(const CaseResult& base, const CaseResult& now) {
  if (base.status() == Record::Status::kNotRun) return "base: " + base.record().reason;
  return now.status() == Record::Status::kNotRun ? "new: " + now.record().reason : "";
}

void judge_timed(std::vector<Comparison>& rows, double tolerance) {
  std::vector<Comparison*> timed;
  std::vector<double> p_values;
  for (auto& row : rows) {
    if (row.change != Change::kCantTell || !row.metric || row.metric->nature != Nature::kTimed ||
        std::isnan(row.ratio.value))
      continue;
    timed.push_back(&row);
    p_values.push_back(row.p_value);
  }
  const auto corrected = holm(p_values);
  for (std::size_t i = 0; i < timed.size(); ++i) {
    Comparison& row = *timed[i];
    row.p_value = corrected[i];
    if (!row.why.empty()) continue;
    const Estimate& judged = row.relative.value_or(row.ratio);
    row.change = judge_change(log_change(row), log_half_width(judged), row.p_value, tolerance);
    if (row.change == Change::kCantTell && !judged.has_interval())
      row.why = "nothing tells how much the values differ by chance";
    else if (row.change == Change::kCantTell)
      row.why = fmt::format("the change lies between {:+.1f} % and {:+.1f} %", 100 * (judged.low - 1),
                            100 * (judged.high - 1));
  }
}

}  // namespace

const char* change_name(Change change) {
  switch (change) {
    case Change::kSame:
      return "same";
    case Change::kBetter:
      return "better";
    case Change::kWorse:
      return "worse";
    case Change::kCantTell:
      return "can't tell";
    case Change::kVanished:
      return "vanished";
    case Change::kNew:
      return "new";
  }
  return "?";
}

Change judge_change(double log_change, double half_width, double p_value, double tolerance) {
  constexpr double kSignificant = 0.05;
  const double limit = std::log1p(tolerance);
  if (std::fabs(log_change) + half_width <= limit) return Change::kSame;
  if (p_value < kSignificant && std::fabs(log_change) > limit) return log_change > 0 ? Change::kBetter : Change::kWorse;
  return Change::kCantTell;
}

std::vector<Comparison> compare_reports(const Report& base, const Report& now, const CompareOptions& options) {
  if (!options.different) check_comparable(base, now);
  std::vector<Comparison> rows;
  for (const auto& old_case : base.cases) {
    const CaseResult* new_case = find_case(now.cases, old_case.name);
    const std::string not_run = new_case ? why_not_run(old_case, *new_case) : "";
    if (!new_case)
      rows.push_back({old_case.name, nullptr, {}, {}, {}, {}, 1, Change::kVanished, ""});
    else if (!not_run.empty())
      rows.push_back({old_case.name, nullptr, {}, {}, {}, {}, 1, Change::kCantTell, not_run});
    else
      compare_cases(old_case, *new_case, options, rows);
  }
  for (const auto& new_case : now.cases)
    if (!find_case(base.cases, new_case.name))
      rows.push_back({new_case.name, nullptr, {}, {}, {}, {}, 1, Change::kNew, ""});
  judge_timed(rows, options.tolerance);
  return rows;
}

Exit exit_code(const std::vector<Comparison>& rows) {
  const auto any = [&](Change change) {
    return std::ranges::any_of(rows, [&](const auto& r) { return r.change == change; });
  };
  if (any(Change::kWorse) || any(Change::kVanished)) return Exit::kGateFailed;
  const bool compared = std::ranges::any_of(rows, [](const auto& r) { return r.change != Change::kNew; });
  return any(Change::kCantTell) || !compared ? Exit::kNotJudged : Exit::kOk;
}

}  // namespace bench::harness
