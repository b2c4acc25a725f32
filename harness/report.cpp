#include "harness/report.h"

#include "harness/core/files.h"
#include "harness/isolated.h"

#include <algorithm>

namespace bench::harness {
namespace {

/// A gate as the suite writes it: the one limit that it has, not a null for each other kind.
Json gate_json(const GateConfig& gate) {
  Json json = {{"metric", gate.metric}, {gate.kind().name, gate.limit()}, {"unit", gate.unit}};
  if (!gate.machine.empty()) json["machine"] = gate.machine;
  if (!gate.reading.empty()) json["reading"] = gate.reading;
  return json;
}

Json case_json(const CaseResult& result) {
  Json json = to_json(result.record);
  json["budget_s"] = result.budget_s;
  json["metrics"] = Json::array();
  for (const auto& [metric, e] : result.metrics)
    json["metrics"].push_back({{"name", metric->name},
                               {"unit", metric->unit},
                               {"value", number_or_null(e.value)},
                               {"low", number_or_null(e.low)},
                               {"high", number_or_null(e.high)},
                               {"n", e.n}});
  json["gates"] = Json::array();
  for (const auto& gate : result.gates)
    json["gates"].push_back({{"gate", gate_json(gate.gate)},
                             {"verdict", verdict_name(gate.verdict)},
                             {"applies", gate.applies},
                             {"value", number_or_null(gate.value)},
                             {"reason", gate.reason}});
  return json;
}

CaseResult case_from_json(const Json& json, const std::string& processor, const std::string& where) {
  std::vector<GateConfig> gates;
  for (const auto& gate : json.at("gates"))
    gates.push_back(read_config<GateConfig>(YamlNode::parse(gate.at("gate").dump(), where)));
  return evaluate_case(record_from_json(json, where), json.at("budget_s"), gates, processor);
}

}  // namespace

std::vector<GateResult> Report::gates() const {
  std::vector<GateResult> all;
  for (const auto& one : cases) all.insert(all.end(), one.gates.begin(), one.gates.end());
  return all;
}

Exit Report::exit_code() const {
  const bool errored =
      std::any_of(cases.begin(), cases.end(), [](const auto& c) { return c.record.status == Record::Status::kError; });
  return harness::exit_code(gates(), errored);
}

CaseResult evaluate_case(Record record, double budget_s, const std::vector<GateConfig>& gates,
                         const std::string& processor) {
  CaseResult result{std::move(record), budget_s, {}, {}};
  result.metrics = evaluate_metrics(result.record);
  for (const auto& gate : gates) result.gates.push_back(judge(gate, result.record, processor));
  return result;
}

Json to_json(const Report& report) {
  Json json = {{"schema", kReportSchema},
               {"suite", report.suite},
               {"description", report.description},
               {"created", report.created},
               {"device", report.device},
               {"environment", report.environment},
               {"summary", summary_line(report)},
               {"exit_code", static_cast<int>(report.exit_code())},
               {"cases", Json::array()}};
  for (const auto& one : report.cases) json["cases"].push_back(case_json(one));
  return json;
}

Report read_report(const std::filesystem::path& file) {
  const Json json = parse_json(read_file(file), file.string());
  try {
    const auto schema = json.at("schema").get<std::string>();
    if (schema != kReportSchema)
      throw Error(file.string(), fmt::format("has schema '{}', this program reads '{}'", schema, kReportSchema));
    Report report;
    report.suite = json.at("suite");
    report.description = json.at("description");
    report.created = json.at("created");
    report.device = json.at("device");
    report.environment = json.at("environment");
    const std::string processor = report.environment.at("processor");
    for (const auto& one : json.at("cases")) report.cases.push_back(case_from_json(one, processor, file.string()));
    return report;
  } catch (const Json::exception& e) {
    throw Error(file.string(), fmt::format("is not a report: {}", e.what()), "bench run writes reports");
  }
}

std::string summary_line(const Report& report) {
  const auto gates = report.gates();
  const auto count = [&](Verdict verdict, bool applies) {
    return std::count_if(gates.begin(), gates.end(),
                         [&](const auto& g) { return g.verdict == verdict && g.applies == applies; });
  };
  const auto passed = count(Verdict::kPass, true), failed = count(Verdict::kFail, true),
             errors = count(Verdict::kError, true) + count(Verdict::kError, false);
  std::string text = fmt::format("{} of {} gates passed", passed, gates.size());
  if (failed) text += fmt::format(", {} failed", failed);
  if (errors) text += fmt::format(", {} in error", errors);
  if (const auto open = count(Verdict::kNotJudged, true)) text += fmt::format(", {} not judged", open);
  if (const auto elsewhere = count(Verdict::kNotJudged, false))
    text += fmt::format(", {} for other machines", elsewhere);
  const auto broken = std::count_if(report.cases.begin(), report.cases.end(),
                                    [](const auto& c) { return c.record.status == Record::Status::kError; });
  if (broken) text += fmt::format("; {} of {} cases did not work", broken, report.cases.size());
  return text;
}

}  // namespace bench::harness
