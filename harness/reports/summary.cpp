#include "harness/reports/summary.h"

#include "harness/reports/reports.h"

#include <algorithm>
#include <cmath>

namespace bench::harness {
namespace {

int urgency(const GateResult& result) {
  switch (result.verdict) {
    case Verdict::kError:
      return 0;
    case Verdict::kFail:
      return 1;
    case Verdict::kNotJudged:
      return result.applies ? 2 : 5;
    case Verdict::kExpectedFail:
      return 3;
    case Verdict::kPass:
      return 4;
  }
  return 5;
}

std::string json_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return dumped(value);
  std::string joined;
  for (const auto& element : value) joined += (joined.empty() ? "" : ", ") + json_text(element);
  return joined;
}

}  // namespace

std::vector<JudgedGate> gates_by_urgency(const Report& report) {
  std::vector<JudgedGate> gates;
  for (std::size_t i = 0; i < report.cases.size(); ++i)
    for (const auto& result : report.cases[i].verdicts) gates.push_back({i, &report.cases[i], &result});
  std::ranges::stable_sort(gates, {}, [](const auto& gate) { return urgency(*gate.result); });
  return gates;
}

std::string measured_text(const JudgedGate& gate) {
  if (std::isnan(gate.result->measured.value)) return "-";
  return format_estimate(gate.result->measured) + unit_suffix(gate.result->gate.unit);
}

std::string why(const GateResult& result) {
  const std::string& reading = result.gate.reading;
  return result.reason + (result.reason.empty() || reading.empty() ? "" : ". ") + reading;
}

const char* exit_meaning(Exit exit) {
  switch (exit) {
    case Exit::kOk:
      return "every gate that applies here was judged, and none failed unexpectedly";
    case Exit::kGateFailed:
      return "a gate failed";
    case Exit::kUsage:
      return "usage or configuration; nothing was run";
    case Exit::kCaseError:
      return "a case did not work";
    case Exit::kNotJudged:
      return "nothing failed, but the run was interrupted, a gate that applies could not be judged, or nothing was "
             "judged at all";
  }
  return "?";
}

std::string time_text(const CaseResult& one) {
  const std::string each =
      one.processes.size() == 1 ? "" : fmt::format(" for each of {} processes", one.processes.size());
  return fmt::format("{:.1f} s; budget {:g} s{}", one.wall_s(), one.budget_s, each);
}

std::string environment_text(const Json& environment, const std::string& key) {
  return environment.contains(key) ? json_text(environment.at(key)) : "";
}

std::string commit_text(const Json& environment) {
  return environment_text(environment, "commit") + (environment_text(environment, "dirty") == "true" ? "-dirty" : "");
}

}  // namespace bench::harness
