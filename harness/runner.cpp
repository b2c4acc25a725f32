#include "harness/runner.h"

#include "harness/core/clock.h"
#include "harness/core/progress.h"
#include "harness/failure.h"
#include "harness/isolated.h"

namespace bench::harness {

Report run_suite(const Suite& suite, const RunOptions& options) {
  const std::string wanted = options.device.empty() ? suite.device : options.device;
  const Device& device = find_device(wanted, options.device.empty() ? "device" : "--device");
  Report report{suite.name, suite.description, device.name, utc_timestamp(), to_json(current_environment()), {}};
  const std::string processor = report.environment.at("processor");
  for (const auto& spec : suite.cases) {
    if (!matches_glob(spec.name, options.case_glob)) continue;
    print_status(fmt::format("{} ...", spec.name));
    Record record = run_isolated({spec.name, spec.type, device.name, spec.budget_s, spec.config});
    report.cases.push_back(evaluate_case(std::move(record), spec.budget_s, spec.gates, processor));
    if (options.on_case) options.on_case(report);
  }
  if (report.cases.empty()) {
    std::vector<std::string> names;
    for (const auto& spec : suite.cases) names.push_back(spec.name);
    throw Error("--case " + options.case_glob, "no case of the suite has such a name",
                unknown_name_hint(options.case_glob, names));
  }
  return report;
}

Record run_case_here(const Json& json, const std::string& where) {
  const CaseRequest request = request_from_json(json, where);
  Record record;
  record.name = request.name;
  record.type = request.type;
  record.config = request.config;
  try {
    const CaseType* type = find_case_type(request.type);
    if (!type) throw Error(where, fmt::format("unknown case type '{}'", request.type));
    const Device& device = find_device(request.device, "device");
    device.prepare();
    Context context{request.name, device, request.budget_s};
    record = type->run(request.config, context);
  } catch (const std::exception& e) {
    const Failure failure = describe(e);
    record.status = Record::Status::kError;
    record.reason = failure.where.empty() ? failure.message : failure.where + ": " + failure.message;
    record.hint = failure.hint;
  }
  return record;
}

}  // namespace bench::harness
