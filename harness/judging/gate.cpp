#include "harness/judging/gate.h"

#include "harness/host/environment.h"
#include "harness/judging/gate_value.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/ranges.h>

namespace bench::harness {
namespace {

/// ", out of reach here: ..." if no program could reach the limit on this machine.
std::string out_of_reach(const Metric& metric, const GateConfig& gate, const std::vector<Record>& processes) {
  if (!gate.relative_to.empty()) return "";
  const bool rate = metric.better == Better::kHigher;
  const AllowedValues allowed = gate.allowed();
  if (!metric.ceiling || !(rate ? allowed.only_from_below() : allowed.only_from_above())) return "";
  std::optional<double> best;
  for (const auto& record : processes)
    if (const auto bound = find_metric(metric.ceiling)->of(record); bound && bound->value > 0)
      best = !best ? bound->value : rate ? std::max(*best, bound->value) : std::min(*best, bound->value);
  const double limit = gate.limit()[0];
  if (!best || (rate ? *best >= limit : *best <= limit)) return "";
  return fmt::format("; out of reach here by {:.3g}x: at the probed matrix-product rate the work {} {:.3g} {}",
                     rate ? limit / *best : *best / limit, rate ? "allows" : "takes", *best, gate.unit);
}

GateResult with(GateResult result, Verdict verdict, std::string reason = "") {
  result.verdict = verdict;
  result.reason = std::move(reason);
  return result;
}

/// The smallest true difference that would have been seen with a probability of 80 %. The interval's half-width is 1.96
/// standard errors; this difference is 1.96 + 0.84 standard errors.
double smallest_visible(const Estimate& e) { return e.relative_half_width() * (1.96 + 0.84) / 1.96; }

std::string too_noisy(const GateConfig& gate, const Estimate& e) {
  return fmt::format(
      "too noisy: the 95 % interval {:.4g} .. {:.4g} reaches across {}; a difference of less than {:.1f} % "
      "could not have been seen (more processes or a larger budget_s would help)",
      e.low, e.high, gate.text(), 100 * smallest_visible(e));
}

/// What is judged: the metric, the processes of its case, and the processes of the case that it is relative to.
struct Evidence {
  const Metric& metric;
  const std::vector<Record>& processes;
  const std::vector<Record>* base;

  /// The first reason that one of these processes gives, or "". A reason of the other case begins with its name.
  template <class Why>
  std::string reason(const GateConfig& gate, const Why& why) const {
    for (const auto& record : processes)
      if (std::string text = std::invoke(why, record); !text.empty()) return text;
    if (!base) return "";
    for (const auto& record : *base)
      if (const std::string text = std::invoke(why, record); !text.empty()) return gate.relative_to + ": " + text;
    return "";
  }
};

/// Why a value says nothing about some of a case's processes, or "". A process without the value must not go unnoticed
/// among the others.
std::string of_some_only(const Metric& metric, const std::vector<Record>& processes) {
  for (std::size_t i = 0; i < processes.size(); ++i) {
    const std::string unread = metric.of_peak ? processes[i].peak_unread() : "";
    if (unread.empty() && metric.of(processes[i])) continue;
    return fmt::format("process {} of {} measured no {}{}{}", i + 1, processes.size(), metric.name,
                       unread.empty() ? "" : ": ", unread);
  }
  return "";
}

/// A verdict on a value that depends on the moment.
GateResult judge_timed(const GateConfig& gate, const Evidence& evidence, const Estimate& e, GateResult result) {
  const std::string missed = fmt::format("{:.4g} is not {}", e.value, gate.text());
  // This holds however large the noise is. But a limit that was reached was not out of reach, whatever the probe says.
  if (!gate.allowed().holds(e.value))
    if (const std::string beyond = out_of_reach(evidence.metric, gate, evidence.processes); !beyond.empty())
      return with(result, Verdict::kFail, missed + beyond);
  if (const std::string why = evidence.reason(gate, &Record::was_disturbed); !why.empty())
    return with(result, Verdict::kNotJudged, why);
  if (!e.has_interval())
    return with(result, Verdict::kNotJudged,
                fmt::format("{:.4g} was measured {}: nothing tells its spread; raise budget_s or processes", e.value,
                            e.n <= 1 ? "once" : "too few times"));
  switch (gate.side(e)) {
    case Side::kInside:
      return with(result, Verdict::kPass);
    case Side::kOutside:
      return with(result, Verdict::kFail, missed);
    case Side::kAcross:
      break;
  }
  return with(result, Verdict::kNotJudged, too_noisy(gate, e));
}

GateResult judge_exact(const GateConfig& gate, const Evidence& evidence, const Estimate& e, GateResult result) {
  if (gate.side(e) == Side::kOutside)
    return with(result, Verdict::kFail, fmt::format("{:.4g} is not {}", e.value, gate.text()));
  if (e.n > 0) return with(result, Verdict::kPass);
  const std::string why = evidence.reason(gate, &Record::incomplete);
  return with(result, Verdict::kNotJudged, fmt::format("estimated only{}{}", why.empty() ? "" : ": ", why));
}

/// The result of a gate, changed if the gate is marked as one that is expected to fail.
GateResult with_expectation(GateResult result) {
  const std::string& why = result.gate.expected_failure;
  if (why.empty()) return result;
  if (result.verdict == Verdict::kFail)
    return with(result, Verdict::kExpectedFail, fmt::format("{} (expected: {})", result.reason, why));
  if (result.verdict == Verdict::kPass)
    return with(result, Verdict::kFail,
                fmt::format("passed, although its failure was expected ({}): remove the mark from the suite", why));
  return result;
}

}  // namespace

void GateConfig::validate(const Require& require) const {
  const auto given = std::ranges::count_if(limits, [](const auto& limit) { return limit.has_value(); });
  std::vector<std::string> kinds;
  for (const auto& one : gate_kinds()) kinds.push_back(one.name);
  require(!metric.empty(), "metric", "is missing", "`bench list metrics` shows all");
  require(given == 1, "metric", fmt::format("a gate needs exactly one of {}", fmt::join(kinds, ", ")), "");
  require(limit().size() == kind().limits, kind().name, fmt::format("takes {} number(s)", kind().limits), "");
  require(limit().size() < 2 || limit()[0] <= limit()[1], kind().name, "the first number must not exceed the second",
          "");
  require(target.empty() ||
              (allowed().only_from_below() && target.size() == 2 && target[0] == limit()[0] && target[0] <= target[1]),
          "target", "must be a range that begins with the limit of at_least or above",
          "at_least: 2 with target: [2, 3]");
  require(relative_to.empty() || unit.empty() || unit == "1", "unit",
          fmt::format("'{}' is not the unit of a ratio", unit), "with relative_to it is 1");
}

void GateConfig::check_metric(const std::vector<DeclaredMetric>& declared, const Require& require) const {
  std::vector<std::string> names;
  for (const auto& one : declared) names.push_back(one.name);
  for (const auto& name : metric_names()) names.push_back(name);
  const Metric* row = find_metric(metric, declared);
  require(row != nullptr, "metric", fmt::format("unknown metric '{}'", metric), unknown_name_hint(metric, names));
  require(!unit.empty(), "unit", "is missing",
          relative_to.empty() ? fmt::format("{} is in {}", metric, row->unit) : "1: a ratio has no unit");
  require(!relative_to.empty() || unit == row->unit, "unit", fmt::format("'{}' is not the metric's unit", unit),
          fmt::format("{} is in {}", metric, row->unit));
}

const GateKind& GateConfig::kind() const {
  for (std::size_t i = 0; i < limits.size(); ++i)
    if (limits[i]) return gate_kinds()[i];
  throw Error("gate", "has no limit");
}

const std::vector<double>& GateConfig::limit() const {
  for (const auto& one : limits)
    if (one) return *one;
  throw Error("gate", "has no limit");
}

Side GateConfig::side(const Estimate& e) const { return allowed().side(e.least(), e.most()); }

bool GateConfig::applies_on(const std::string& machine_name) const { return machine.holds(machine_name); }

bool MachineMatch::is_open(const std::string& machine_name) const {
  return !holds(machine_name) && machine_name.starts_with(kUnknownProcessor);
}

void read_scalar(const YamlNode& node, MachineMatch& value) {
  value.unchecked = !node.yaml().IsScalar();
  if (!value.unchecked) return read_scalar(node, value.text);
  FieldReader reader(node);
  reader("contains", value.text, "");
  reader.finish();
  if (value.text.empty()) throw node.error("says no machine", "such as {contains: Apple M4}");
}

void to_json(Json& json, const MachineMatch& value) {
  json = value.unchecked ? Json{{"contains", value.text}} : Json(value.text);
}

std::string GateConfig::text() const {
  return fmt::format("{} {}{}{}", kind().name, fmt::join(limit(), ".."), unit == "1" ? "" : " " + unit,
                     relative_to.empty() ? "" : " times " + relative_to);
}

Json gate_json(const GateConfig& gate) {
  Json json = {{"metric", gate.metric}, {gate.kind().name, gate.limit()}, {"unit", gate.unit}};
  if (!gate.relative_to.empty()) json["relative_to"] = gate.relative_to;
  if (!gate.machine.text.empty()) json["machine"] = gate.machine;
  if (!gate.target.empty()) json["target"] = gate.target;
  if (!gate.reading.empty()) json["reading"] = gate.reading;
  if (!gate.expected_failure.empty()) json["expected_failure"] = gate.expected_failure;
  return json;
}

GateConfig gate_from_json(const Json& json, const std::string& where, const std::vector<DeclaredMetric>& declared) {
  return read_gate(YamlNode::parse(dumped(json), where), declared);
}

GateConfig read_gate(const YamlNode& node, const std::vector<DeclaredMetric>& declared) {
  const auto gate = read_config<GateConfig>(node);
  gate.check_metric(declared, [&](bool ok, const std::string& key, const std::string& what, const std::string& hint) {
    if (!ok) throw node.child(key).error(what, hint);
  });
  return gate;
}

const char* verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kPass:
      return "pass";
    case Verdict::kExpectedFail:
      return "expected_fail";
    case Verdict::kFail:
      return "fail";
    case Verdict::kNotJudged:
      return "not_judged";
    case Verdict::kError:
      return "error";
  }
  return "?";
}

GateResult judge(const GateConfig& gate, const std::vector<Record>& processes, const std::string& machine,
                 const std::vector<Record>* base) {
  GateResult result{gate, Verdict::kNotJudged, true, Estimate::point(std::nan(""), 0), ""};
  const bool may_apply = gate.machine.is_open(machine);
  result.applies = may_apply || gate.applies_on(machine);
  for (const auto& record : processes)
    if (record.status == Record::Status::kError) return with(result, Verdict::kError, record.reason);
  for (const auto& record : processes)
    if (record.status != Record::Status::kOk) return with(result, Verdict::kNotJudged, record.reason);
  const Metric* found = find_metric(gate.metric, processes);
  if (!found) return with(result, Verdict::kNotJudged, fmt::format("the case measured no {}", gate.metric));
  const Metric& metric = *found;
  const Evidence evidence{metric, processes, base};
  const auto estimate = gate_value(metric, gate, processes, base);
  if (estimate) result.measured = *estimate;
  if (!result.applies)
    return with(result, Verdict::kNotJudged,
                fmt::format("judged only on {}", gate.machine.text) + out_of_reach(metric, gate, processes));
  if (may_apply)
    return with(
        result, Verdict::kNotJudged,
        fmt::format("the processor's name could not be read, so nobody knows whether this is {}", gate.machine.text));
  if (const std::string why = missing_base(metric, gate, base); !why.empty())
    return with(result, Verdict::kNotJudged, why);
  // Infinity counts as not a number: an infinite rate is as broken as an infinite loss, however little was done.
  if (estimate && !std::isfinite(estimate->value)) return with(result, Verdict::kFail, "the value is not a number");
  const auto undone_in = [&](const Record& record) { return undone(metric, record); };
  if (const std::string why = evidence.reason(gate, undone_in); !why.empty())
    return with(result, Verdict::kNotJudged, why);
  if (!estimate) {
    const std::string why = metric.of_peak ? evidence.reason(gate, &Record::peak_unread) : "";
    return with(result, Verdict::kNotJudged, why.empty() ? fmt::format("the case measured no {}", gate.metric) : why);
  }
  result = metric.nature == Nature::kTimed ? judge_timed(gate, evidence, *estimate, result)
                                           : judge_exact(gate, evidence, *estimate, result);
  if (result.verdict == Verdict::kPass)
    for (const auto* one : {&processes, base})
      if (const std::string why = one ? of_some_only(metric, *one) : ""; !why.empty())
        return with(result, Verdict::kNotJudged, (one == base ? gate.relative_to + ": " : "") + why);
  return with_expectation(result);
}

Exit exit_code(const std::vector<GateResult>& gates, bool any_case_errored) {
  const auto any = [&](auto&& condition) { return std::ranges::any_of(gates, condition); };
  if (any_case_errored || any([](const auto& g) { return g.verdict == Verdict::kError; })) return Exit::kCaseError;
  if (any([](const auto& g) { return g.verdict == Verdict::kFail; })) return Exit::kGateFailed;
  if (any([](const auto& g) { return g.applies && g.verdict == Verdict::kNotJudged; })) return Exit::kNotJudged;
  return any([](const auto& g) { return g.verdict == Verdict::kPass || g.verdict == Verdict::kExpectedFail; })
             ? Exit::kOk
             : Exit::kNotJudged;
}

}  // namespace bench::harness
