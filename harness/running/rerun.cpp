#include "harness/running/rerun.h"

#include <algorithm>

namespace bench::harness {
namespace {

Json with_all_keys(const CaseType& type, const Json& config) {
  try {
    FieldReader reader(YamlNode::parse(dumped(config), "config"));
    const Json all = type.read(reader);
    reader.finish();
    return all;
  } catch (const Error&) {
    return config;
  }
}

/// Checks that a case stands after the cases that it waits for, as in its suite. Cases that the run left out are not
/// waited for. In a report that was written by hand, cases could wait for each other.
void check_order(const CaseResult& one, const Suite& earlier, const Report& report) {
  for (const auto& name : one.after) {
    const auto before = case_names(earlier);
    if (find_case(report.cases, name) && std::ranges::find(before, name) == before.end())
      throw Error(one.name, fmt::format("comes after '{}', which does not stand before it in the report", name),
                  "was the report changed?");
  }
}

}  // namespace

Report with_all_keys(Report report) {
  for (auto& one : report.cases)
    if (const CaseType* type = find_case_type(one.type))
      for (auto& record : one.processes) record.config = with_all_keys(*type, record.config);
  return report;
}

Suite suite_of_report(const Report& report) {
  Suite suite;
  suite.name = report.suite;
  suite.description = report.description;
  suite.device = report.device;
  for (const auto& one : report.cases) {
    check_order(one, suite, report);
    CaseSpec spec;
    spec.name = one.name;
    spec.type = one.type;
    spec.budget_s = one.budget_s;
    // If the run was interrupted, some processes are missing. The case then gets as many as it would have had.
    spec.processes = report.interruption().empty() || one.most_processes == 0
                         ? static_cast<std::int64_t>(one.processes.size())
                         : one.most_processes;
    spec.metrics = one.record().declared;
    spec.gates = one.gates;
    spec.config = one.record().config;
    spec.precision = one.precision;
    spec.after = one.after;
    for (const auto& gate : spec.gates)
      if (const CaseSpec* base = find_case(suite, gate.relative_to))
        if (find_metric(gate.metric, base->metrics) != find_metric(gate.metric, spec.metrics))
          throw Error(spec.name, fmt::format("is relative to '{}', which has no {}", base->name, gate.metric),
                      "was the report changed?");
    suite.cases.push_back(std::move(spec));
  }
  return suite;
}

}  // namespace bench::harness
