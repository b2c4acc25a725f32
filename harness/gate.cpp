#include "harness/gate.h"

#include <algorithm>
#include <cmath>

#include <fmt/ranges.h>

namespace bench::harness {
namespace {

constexpr GateKind kKinds[] = {
    {"at_most", "the value may reach the limit, not pass it", 1,
     [](double value, const std::vector<double>& limits) { return value <= limits[0]; }},
    {"at_least", "the value must reach the limit", 1,
     [](double value, const std::vector<double>& limits) { return value >= limits[0]; }},
    {"below", "the value must stay under the limit", 1,
     [](double value, const std::vector<double>& limits) { return value < limits[0]; }},
    {"above", "the value must pass the limit", 1,
     [](double value, const std::vector<double>& limits) { return value > limits[0]; }},
    {"within", "the value must lie in [low, high]", 2,
     [](double value, const std::vector<double>& limits) { return limits[0] <= value && value <= limits[1]; }},
};

/// ", out of reach here: ..." if no program could reach the limit on this machine.
std::string out_of_reach(const GateConfig& gate, const Record& record) {
  const char* ceiling_name = find_metric(gate.metric)->ceiling;
  const std::string kind = gate.kind().name;
  if (!ceiling_name || (kind != "at_least" && kind != "above")) return "";
  const auto ceiling = find_metric(ceiling_name)->formula(record);
  if (!ceiling || ceiling->value >= gate.limit()[0]) return "";
  return fmt::format("; out of reach here by {:.3g}x: at the probed matrix-product rate the work allows {:.3g} {}",
                     gate.limit()[0] / ceiling->value, ceiling->value, gate.unit);
}

GateResult not_judged(GateResult result, std::string reason) {
  result.verdict = Verdict::kNotJudged;
  result.reason = std::move(reason);
  return result;
}

}  // namespace

std::span<const GateKind> gate_kinds() { return kKinds; }

void GateConfig::validate(const Require& require) const {
  const auto given = std::count_if(limits.begin(), limits.end(), [](const auto& limit) { return limit.has_value(); });
  std::vector<std::string> kinds;
  for (const auto& one : kKinds) kinds.push_back(one.name);
  require(!metric.empty(), "metric", "is missing", "`bench list metrics` shows all");
  const Metric* row = find_metric(metric);
  require(row != nullptr, "metric", fmt::format("unknown metric '{}'", metric),
          unknown_name_hint(metric, metric_names()));
  require(given == 1, "metric", fmt::format("a gate needs exactly one of {}", fmt::join(kinds, ", ")), "");
  require(limit().size() == kind().limits, kind().name, fmt::format("takes {} number(s)", kind().limits), "");
  require(limit().size() < 2 || limit()[0] <= limit()[1], kind().name, "the first number must not exceed the second",
          "");
  require(!unit.empty(), "unit", "is missing", fmt::format("{} is in {}", metric, row->unit));
  require(unit == row->unit, "unit", fmt::format("'{}' is not the metric's unit", unit),
          fmt::format("{} is in {}", metric, row->unit));
}

const GateKind& GateConfig::kind() const {
  for (std::size_t i = 0; i < limits.size(); ++i)
    if (limits[i]) return kKinds[i];
  throw Error("gate", "has no limit");
}

const std::vector<double>& GateConfig::limit() const {
  for (const auto& one : limits)
    if (one) return *one;
  throw Error("gate", "has no limit");
}

std::string GateConfig::text() const {
  return fmt::format("{} {}{}", kind().name, fmt::join(limit(), ".."), unit == "1" ? "" : " " + unit);
}

const char* verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "pass";
    case Verdict::kFail:
      return "fail";
    case Verdict::kNotJudged:
      return "not_judged";
    case Verdict::kError:
      return "error";
  }
  return "?";
}

GateResult judge(const GateConfig& gate, const Record& record, const std::string& processor) {
  GateResult result{gate, Verdict::kNotJudged, true, std::nan(""), ""};
  const bool other_machine = !gate.machine.empty() && processor.find(gate.machine) == std::string::npos;
  result.applies = !other_machine;
  if (record.status == Record::Status::kError) {
    result.verdict = Verdict::kError;
    result.reason = record.reason;
    return result;
  }
  if (record.status == Record::Status::kSkipped) return not_judged(result, record.reason);
  const auto estimate = find_metric(gate.metric)->formula(record);
  if (estimate) result.value = estimate->value;
  if (other_machine)
    return not_judged(result, fmt::format("judged only on {}", gate.machine) + out_of_reach(gate, record));
  if (!estimate) return not_judged(result, fmt::format("the case measured no {}", gate.metric));
  if (std::isnan(result.value)) {
    result.verdict = Verdict::kFail;
    result.reason = "the value is not a number";
    return result;
  }
  result.verdict = gate.kind().holds(result.value, gate.limit()) ? Verdict::kPass : Verdict::kFail;
  if (result.verdict == Verdict::kPass && estimate->n == 0)
    return not_judged(result, "estimated only: it did not fit in this machine's memory");
  if (result.verdict == Verdict::kFail)
    result.reason = fmt::format("{:.4g} is not {}", result.value, gate.text()) + out_of_reach(gate, record);
  return result;
}

Exit exit_code(const std::vector<GateResult>& gates, bool any_case_errored) {
  const auto any = [&](auto&& condition) { return std::any_of(gates.begin(), gates.end(), condition); };
  if (any_case_errored || any([](const auto& g) { return g.verdict == Verdict::kError; })) return Exit::kCaseError;
  if (any([](const auto& g) { return g.verdict == Verdict::kFail; })) return Exit::kGateFailed;
  if (any([](const auto& g) { return g.applies && g.verdict == Verdict::kNotJudged; })) return Exit::kNotJudged;
  return any([](const auto& g) { return g.verdict == Verdict::kPass; }) ? Exit::kOk : Exit::kNotJudged;
}

}  // namespace bench::harness
