#include "harness/judging/report.h"

#include "harness/core/files.h"
#include "harness/core/hash.h"

#include <algorithm>

namespace bench::harness {
namespace {

constexpr const char* kHashKey = "hash";
constexpr const char* kInterruptedKey = "interrupted";  // absent from the report of a run that came to its end
constexpr const char* kLeftOutKey = "left_out";  // absent from the report of a run that had all cases of its suite

Json verdict_json(const GateResult& result) {
  Json json = {{"gate", gate_json(result.gate)},
               {"verdict", verdict_name(result.verdict)},
               {"applies", result.applies},
               {"value", number_or_null(result.measured.value)},
               {"reason", result.reason}};
  if (result.gate.relative_to.empty()) return json;  // the case's metrics hold this one
  json["low"] = number_or_null(result.measured.low);
  json["high"] = number_or_null(result.measured.high);
  return json;
}

Json case_json(const CaseResult& result) {
  Json json = {{"name", result.name},         {"type", result.type},           {"status", status_name(result.status())},
               {"budget_s", result.budget_s}, {"precision", result.precision}, {"after", result.after}};
  if (result.most_processes > 0) json["most_processes"] = result.most_processes;
  json["effort"] = result.effort();
  for (const char* list : {"metrics", "gates", "processes"}) json[list] = Json::array();
  for (const auto& [metric, e] : result.metrics)
    json["metrics"].push_back({{"name", metric->name},
                               {"unit", metric->unit},
                               {"value", number_or_null(e.value)},
                               {"low", number_or_null(e.low)},
                               {"high", number_or_null(e.high)},
                               {"n", e.n}});
  for (const auto& verdict : result.verdicts) json["gates"].push_back(verdict_json(verdict));
  for (const auto& record : result.processes) json["processes"].push_back(to_json(record));
  return json;
}

CaseResult case_from_json(const Json& json, const std::string& machine, const std::string& where,
                          std::span<const CaseResult> earlier) {
  std::vector<Record> processes;
  for (const auto& process : json.at("processes")) processes.push_back(record_from_json(process, where));
  const std::string name = json.at("name");
  if (processes.empty()) throw Error(where, fmt::format("case '{}' has no processes", name));
  for (const auto& record : processes)
    if (record.declared != processes[0].declared)
      throw Error(where, fmt::format("processes of case '{}' declare different metrics", name));
  std::vector<GateConfig> gates;
  for (const auto& gate : json.at("gates"))
    gates.push_back(gate_from_json(gate.at("gate"), where, processes[0].declared));
  CaseResult result = evaluate_case(name, json.at("type"), json.at("budget_s"), std::move(gates), std::move(processes),
                                    machine, earlier);
  result.precision = json.at("precision");
  result.most_processes = json.value("most_processes", std::int64_t{0});
  result.after = json.at("after").get<std::vector<std::string>>();
  return result;
}

Report report_from_json(const Json& json, const std::string& where) {
  try {
    const auto schema = json.at("schema").get<std::string>();
    if (schema != kReportSchema)
      throw Error(where, fmt::format("has schema '{}', this program reads '{}'", schema, kReportSchema));
    Report report;
    report.suite = json.at("suite");
    report.description = json.at("description");
    report.device = json.at("device");
    report.created = json.at("created");
    report.seed = whole_number(json.at("seed"));
    report.environment = json.at("environment");
    report.before = read_config<Conditions>(YamlNode::parse(dumped(json.at("before")), where));
    report.after = read_config<Conditions>(YamlNode::parse(dumped(json.at("after")), where));
    report.interrupted = json.value(kInterruptedKey, false);
    report.left_out = json.value(kLeftOutKey, std::vector<std::string>{});
    const std::string machine = report.machine();
    for (const auto& one : json.at("cases")) report.cases.push_back(case_from_json(one, machine, where, report.cases));
    return report;
  } catch (const Json::exception& e) {
    throw Error(where, fmt::format("is not a report: {}", e.what()), "bench run writes reports");
  }
}

/// The hash of everything in a report except the hash itself.
std::string hash_of(Json json) {
  json.erase(kHashKey);
  return xxh128(dumped(json));
}

std::string shown(const Json& json) {
  const std::string text = dumped(json);
  return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

/// Lists where two documents differ. Numbers may differ by rounding, because mathematical functions differ between
/// machines.
void collect_differences(const Json& said, const Json& found, const std::string& path, std::vector<std::string>& out) {
  if (said.is_number() && found.is_number()) {
    const double a = said.get<double>(), b = found.get<double>();
    if (std::fabs(a - b) <= 1e-9 * std::max(std::fabs(a), std::fabs(b))) return;
  } else if (said.is_object() && found.is_object()) {
    for (const auto& [key, value] : found.items()) {
      if (said.contains(key))
        collect_differences(said.at(key), value, path + (path.empty() ? "" : ".") + key, out);
      else
        out.push_back(fmt::format("{}.{}: is missing in the file", path, key));
    }
    for (const auto& [key, value] : said.items())
      if (!found.contains(key)) out.push_back(fmt::format("{}.{}: is unknown", path, key));
    return;
  } else if (said.is_array() && found.is_array() && said.size() == found.size()) {
    for (std::size_t i = 0; i < said.size(); ++i)
      collect_differences(said[i], found[i], fmt::format("{}[{}]", path, i), out);
    return;
  }
  if (said != found)
    out.push_back(fmt::format("{}: the file says {}, its samples give {}", path, shown(said), shown(found)));
}

/// In older reports, a value without an interval had its own value as both ends of the interval. Removes these ends.
void drop_intervals_of_one_point(Json& said) {
  const auto drop = [](Json& one) {
    if (!one.is_object() || !one.contains("low") || !one.contains("high") || !one.contains("value")) return;
    if (one["low"] == one["value"] && one["high"] == one["value"]) one["low"] = one["high"] = nullptr;
  };
  for (auto& one : said["cases"])
    for (const char* list : {"metrics", "gates"})
      for (auto& value : one[list]) drop(value);
}

/// Removes from `again` the metrics that the report doesn't have, because they are newer than the report. If a metric
/// was removed from the report afterwards, the hash shows it.
void drop_newer_metrics(const Json& said, Json& again) {
  for (std::size_t i = 0; i < again["cases"].size(); ++i) {
    const Json known = said.at("cases").at(i).value("metrics", Json::array());
    Json kept = Json::array();
    for (const auto& metric : again["cases"][i]["metrics"]) {
      const auto is_it = [&](const Json& one) {
        return one.is_object() && one.value("name", Json()) == metric.at("name");
      };
      if (std::ranges::any_of(known, is_it)) kept.push_back(metric);
    }
    again["cases"][i]["metrics"] = kept;
  }
}

}  // namespace

Record::Status CaseResult::status() const { return record().status; }

const Record& CaseResult::record() const {
  const Record* worst = &processes.front();
  for (const auto& one : processes)
    if (one.status > worst->status) worst = &one;
  return *worst;
}

double CaseResult::wall_s() const {
  double sum = 0;
  for (const auto& one : processes) sum += one.wall_s;
  return sum;
}

std::string CaseResult::effort() const {
  std::size_t blocks = 0, warmup = 0, disturbed = 0, samples = 0;
  for (const auto& record : processes) {
    const auto reasons = record.disturbances();
    for (std::size_t i = 0; i < reasons.size(); ++i) {
      const Block& block = record.blocks[i];
      ++blocks;
      if (block.warmup)
        ++warmup;
      else if (!reasons[i].empty())
        ++disturbed;
      for (const auto& [name, range] : block.samples) samples += range.second - range.first;
    }
  }
  if (blocks == 0) return "";
  return fmt::format("{} process{}, {} blocks ({} warm-up, {} disturbed), {} samples", processes.size(),
                     processes.size() == 1 ? "" : "es", blocks, warmup, disturbed, samples);
}

const Estimate* find_estimate(const CaseResult& one, const Metric& metric) {
  for (const auto& value : one.metrics)
    if (value.metric == &metric) return &value.estimate;
  return nullptr;
}

const Estimate* find_estimate(const CaseResult& one, const std::string& metric) {
  for (const auto& value : one.metrics)
    if (metric == value.metric->name) return &value.estimate;
  return nullptr;
}

std::string machine_name(const Json& environment) {
  return fmt::format("{}, {} cores", environment.at("processor").get<std::string>(),
                     whole_number(environment.at("cores")));
}

std::string Report::machine() const { return machine_name(environment); }

std::vector<GateResult> Report::verdicts() const {
  std::vector<GateResult> all;
  for (const auto& one : cases) all.insert(all.end(), one.verdicts.begin(), one.verdicts.end());
  return all;
}

Exit Report::exit_code() const {
  const bool errored = std::ranges::any_of(cases, [](const auto& c) { return c.status() == Record::Status::kError; });
  const Exit exit = harness::exit_code(verdicts(), errored);
  return exit == Exit::kOk && !interruption().empty() ? Exit::kNotJudged : exit;
}

std::string Report::interruption() const {
  const auto ran = std::ranges::count_if(cases, [](const auto& c) { return c.status() != Record::Status::kNotRun; });
  const bool all = ran == static_cast<std::ptrdiff_t>(cases.size());
  if (all && !interrupted) return "";
  return fmt::format("interrupted: {} of {} cases ran{}", ran, cases.size(),
                     all ? ", perhaps not all of their processes" : "");
}

const CaseResult* find_case(std::span<const CaseResult> cases, const std::string& name) {
  const auto found = std::ranges::find(cases, name, &CaseResult::name);
  return found == cases.end() ? nullptr : &*found;
}

CaseResult evaluate_case(std::string name, std::string type, double budget_s, std::vector<GateConfig> gates,
                         std::vector<Record> processes, const std::string& machine,
                         std::span<const CaseResult> earlier) {
  CaseResult result;
  result.name = std::move(name);
  result.type = std::move(type);
  result.budget_s = budget_s;
  result.gates = std::move(gates);
  result.processes = std::move(processes);
  result.metrics = evaluate_metrics(result.processes);
  for (const auto& gate : result.gates) {
    const CaseResult* base = gate.relative_to.empty() ? nullptr : find_case(earlier, gate.relative_to);
    result.verdicts.push_back(judge(gate, result.processes, machine, base ? &base->processes : nullptr));
  }
  return result;
}

Json to_json(const Report& report) {
  Json json = {{"schema", kReportSchema},
               {"suite", report.suite},
               {"description", report.description},
               {"created", report.created},
               {"device", report.device},
               {"seed", report.seed},
               {"environment", report.environment},
               {"before", to_json(report.before)},
               {"after", to_json(report.after)},
               {"summary", summary_line(report)},
               {"exit_code", static_cast<int>(report.exit_code())},
               {"cases", Json::array()}};
  if (report.interrupted) json[kInterruptedKey] = true;
  if (!report.left_out.empty()) json[kLeftOutKey] = report.left_out;
  for (const auto& one : report.cases) json["cases"].push_back(case_json(one));
  json[kHashKey] = hash_of(json);
  return json;
}

Report read_report(const std::filesystem::path& file) {
  return report_from_json(parse_json(read_file(file), file.string()), file.string());
}

Verification verify_report(const std::filesystem::path& file) {
  const Json json = parse_json(read_file(file), file.string());
  const Report report = report_from_json(json, file.string());
  Json again = to_json(report);
  Verification result;
  result.interruption = report.interruption();
  result.hash_matches = json.contains(kHashKey) && json.at(kHashKey) == hash_of(json);
  Json said = json;
  said.erase(kHashKey);
  again.erase(kHashKey);
  drop_newer_metrics(said, again);
  drop_intervals_of_one_point(said);
  drop_intervals_of_one_point(again);
  collect_differences(said, again, "", result.differences);
  return result;
}

std::string summary_line(const Report& report) {
  const auto verdicts = report.verdicts();
  const auto count = [&](Verdict verdict, bool applies) {
    return std::ranges::count_if(verdicts, [&](const auto& g) { return g.verdict == verdict && g.applies == applies; });
  };
  const auto passed = count(Verdict::kPass, true), failed = count(Verdict::kFail, true),
             errors = count(Verdict::kError, true) + count(Verdict::kError, false);
  std::string text = verdicts.empty() ? "no gates" : fmt::format("{} of {} gates passed", passed, verdicts.size());
  if (failed) text += fmt::format(", {} failed", failed);
  if (const auto expected = count(Verdict::kExpectedFail, true))
    text += fmt::format(", {} failed as expected", expected);
  if (errors) text += fmt::format(", {} in error", errors);
  if (const auto open = count(Verdict::kNotJudged, true)) text += fmt::format(", {} not judged", open);
  if (const auto elsewhere = count(Verdict::kNotJudged, false))
    text += fmt::format(", {} for other machines", elsewhere);
  const auto broken =
      std::ranges::count_if(report.cases, [](const auto& c) { return c.status() == Record::Status::kError; });
  if (broken) text += fmt::format("; {} of {} cases did not work", broken, report.cases.size());
  if (const auto others = report.left_out.size())
    text += fmt::format("; {} case{} left out by --case", others, others == 1 ? "" : "s");
  const std::string interruption = report.interruption();
  return interruption.empty() ? text : interruption + "; " + text;
}

}  // namespace bench::harness
