#include "harness/running/suite.h"

#include "harness/core/utf8.h"
#include "harness/devices/current_environment.h"
#include "harness/devices/device_names.h"
#include "harness/host/machine.h"
#include "harness/judging/report_paths.h"
#include "harness/running/matrix.h"

#include <algorithm>
#include <set>

namespace bench::harness {
namespace {

/// Throws Error if the case never measures the metric. So a gate that could never be judged is found before the run.
void require_measured(const YamlNode& metric_node, const Metric& metric, const CaseSpec& spec) {
  if (!spec.declares(metric.name) && !metric.measured_by(spec.type))
    throw metric_node.error(fmt::format("a {} case measures no {}", spec.type, metric.name),
                            fmt::format("cases that do: {}; `bench list metrics` shows it of all", metric.cases));
}

/// The names that gates may use for machines: the processor names of the known machines. A machine that is named after
/// its GPU is left out, because a report's machine name doesn't contain the GPU.
std::vector<std::string> processor_names() {
  std::set<std::string> names;
  for (const auto& machine : known_machines())
    if (const Device* device = device_named(machine.device); !device || !device->names_machine)
      names.insert(machine.match);
  return {names.begin(), names.end()};
}

/// Throws Error if the machine is not a known one. A gate for a misspelt machine would never be judged, and nobody
/// would notice.
void require_known_machine(const YamlNode& node, const MachineMatch& machine) {
  if (machine.text.empty() || machine.unchecked) return;
  std::vector<std::string> known = processor_names();
  if (is_processor_name(machine.text, known)) return;
  const Environment here = current_environment();
  known.push_back(machine_name(to_json(here)));
  if (is_processor_name(machine.text, known)) return;
  known.back() = here.processor;  // with the number of cores, the name would resemble no misspelt one
  const std::string& text = machine.text;
  const std::string without_cores = text.ends_with(" cores") ? text.substr(0, text.rfind(", ")) : text;
  throw node.error(
      fmt::format("no machine that is known, nor this one, has '{}' in its name", text),
      fmt::format("{}; of another machine write {{contains: {}}}", unknown_name_hint(without_cores, known), text));
}

/// If the config says how each metric that the case declares is found, every metric must be in both lists.
void check_declared(const YamlNode& node, const CaseSpec& spec) {
  const auto reads = find_case_type(spec.type)->reads;
  if (!reads) return;
  const auto read = reads(spec.config);
  for (const auto& one : spec.metrics)
    if (std::ranges::find(read, one.name) == read.end())
      throw node.child("metrics").error(fmt::format("nothing says where to read '{}'", one.name),
                                        fmt::format("read: [{{metric: {}, json: /...}}]", one.name));
  for (const auto& name : read)
    if (!spec.declares(name))
      throw node.child("read").error(fmt::format("'{}' is no metric that the case declares", name),
                                     fmt::format("metrics: [{{name: {}, unit: ..., better: ...}}]", name));
}

CaseSpec read_case(const YamlNode& node) {
  CaseSpec spec;
  FieldReader reader(node);
  reader.read(spec);
  reader.check(spec);
  spec.config = find_case_type(spec.type)->read(reader);
  reader.finish();
  check_declared(node, spec);
  const auto gates = node.child("gates").elements();  // as many as spec.gates
  for (std::size_t i = 0; i < spec.gates.size(); ++i) {
    const YamlNode& gate = gates[i];
    read_gate(gate, spec.metrics);  // checks that the case may have the metric
    require_measured(gate.child("metric"), *find_metric(spec.gates[i].metric, spec.metrics), spec);
    require_known_machine(gate.child("machine"), spec.gates[i].machine);
  }
  return spec;
}

/// The command line axes for which the case has a key or a placeholder.
std::vector<MatrixAxis> axes_for(const YamlNode& node, const std::vector<MatrixAxis>& axes) {
  const YamlNode type = node.child("case");
  const CaseType* row = type.defined() && type.yaml().IsScalar() ? find_case_type(type.yaml().Scalar()) : nullptr;
  const auto keys = row ? row->keys() : std::vector<FieldHelp>{};
  std::vector<MatrixAxis> known;
  for (const auto& axis : axes) {
    const std::string first = axis.key.substr(0, axis.key.find('.'));
    const auto is_it = [&](const FieldHelp& help) { return help.key == axis.key || help.key == first; };
    if (std::ranges::any_of(keys, is_it) || has_placeholder(node, axis.key)) known.push_back(axis);
  }
  return known;
}

/// Throws Error if --set changes a value that an axis sets. A case that is named batch:4 but runs another batch would
/// be judged under a wrong name.
void refuse_values_of_axes(const YamlNode& node, const std::vector<MatrixAxis>& axes,
                           const std::vector<YamlNode>& stand_for, Overrides& overrides) {
  std::vector<std::string> keys;
  if (const YamlNode matrix = node.child("matrix"); matrix.defined()) keys = matrix.keys();
  for (const auto& axis : axes) keys.push_back(axis.key);
  for (const auto& one : stand_for)
    for (const auto& key : keys)
      if (overrides.find(one.path() + "." + key))
        throw Error(fmt::format("--set {}.{}", overrides.as_given(one.path()), key), "is an axis of the case's matrix",
                    fmt::format("--matrix {}=... replaces its values", key));
}

/// The cases that the file's cases stand for. On the command line a case goes by its name: cases.train.steps means
/// cases[0].steps. The name of a case with a matrix means all cases that it stands for.
std::vector<YamlNode> expanded(const YamlNode& cases, const std::vector<MatrixAxis>& axes, Overrides& overrides) {
  std::vector<YamlNode> all;
  const auto name_of = [](const YamlNode& node) {
    const YamlNode name = node.child("name");
    return name.defined() && name.yaml().IsScalar() ? name.yaml().Scalar() : "";
  };
  for (std::size_t i = 0; i < cases.yaml().size(); ++i) {
    const YamlNode node = cases.element(i);
    if (!node.yaml().IsMap()) {
      all.push_back(node);
      continue;
    }
    const auto more = axes_for(node, axes);
    const auto stand_for = expand_matrix(node, more);
    std::vector<std::string> prefixes;
    for (const auto& one : stand_for) prefixes.push_back(one.path() + ".");
    if (!name_of(node).empty()) overrides.rename_prefix("cases." + name_of(node) + ".", prefixes);
    if (!more.empty() || node.child("matrix").defined()) {
      for (const auto& one : stand_for) overrides.rename_prefix("cases." + name_of(one) + ".", {one.path() + "."});
      refuse_values_of_axes(node, more, stand_for, overrides);
    }
    all.insert(all.end(), stand_for.begin(), stand_for.end());
    constexpr std::size_t kMostCases = 500;
    if (all.size() > kMostCases)
      throw node.error(fmt::format("the suite has more than {} cases", kMostCases), "several suites, or fewer values");
  }
  return all;
}

/// The base of a ratio must measure the same metric. For a speed, both cases need several processes, because one pair
/// of processes says nothing about the spread.
void check_ratio(const YamlNode& node, const GateConfig& gate, const CaseSpec& spec, const CaseSpec& base) {
  const Metric& metric = *find_metric(gate.metric, spec.metrics);
  if (find_metric(gate.metric, base.metrics) != &metric)
    throw node.child("relative_to")
        .error(fmt::format("'{}' has no {} that is the same metric", base.name, metric.name),
               "with the same unit, better and nature");
  if (!base.declares(metric.name) && !metric.measured_by(base.type))
    throw node.child("relative_to")
        .error(fmt::format("'{}' is a {} case, which measures no {}", base.name, base.type, metric.name),
               fmt::format("cases that do: {}", metric.cases));
  if (metric.nature == Nature::kTimed && std::min(spec.processes, base.processes) < 2)
    throw node.child("relative_to")
        .error(fmt::format("the ratio of {} could not be judged", metric.name),
               fmt::format("give '{}' and '{}' at least processes: 2, better 3: one of each tells no spread", spec.name,
                           base.name));
}

/// `after` and `relative_to` may name only cases that stand earlier in the suite, so there are no cycles.
void check_order(const YamlNode& node, const CaseSpec& spec, Suite& earlier) {
  const auto names = case_names(earlier);
  const auto check = [&](const YamlNode& at, const std::string& name) {
    if (std::ranges::find(names, name) == names.end())
      throw at.error(
          fmt::format("no case '{}' stands before this one", name),
          names.empty() ? "it is the first: only those above it can be named" : unknown_name_hint(name, names));
  };
  for (const auto& name : spec.after) check(node.child("after"), name);
  const auto gates = node.child("gates").elements();
  for (std::size_t i = 0; i < spec.gates.size(); ++i) {
    const GateConfig& gate = spec.gates[i];
    if (gate.relative_to.empty()) continue;
    const YamlNode& at = gates[i];
    check(at.child("relative_to"), gate.relative_to);
    check_ratio(at, gate, spec, *find_case(earlier, gate.relative_to));
  }
}

/// The metric must be one that the case may have, and the reference must be in its unit.
void check_reference(const YamlNode& node, const Reference& reference, const CaseSpec& spec) {
  const Metric* metric = find_metric(reference.metric, spec.metrics);
  if (!metric)
    throw node.child("metric").error(fmt::format("unknown metric '{}'", reference.metric),
                                     unknown_name_hint(reference.metric, metric_names()));
  if (reference.unit != metric->unit)
    throw node.child("unit").error(fmt::format("'{}' is not the metric's unit", reference.unit),
                                   fmt::format("{} is in {}", metric->name, metric->unit));
  require_measured(node.child("metric"), *metric, spec);
}

/// Adds each reference as a gate of its case.
void add_references(const YamlNode& root, Suite& suite) {
  for (std::size_t m = 0; m < suite.machines.size(); ++m) {
    const MachineSection& section = suite.machines[m];
    for (std::size_t i = 0; i < section.references.size(); ++i) {
      const Reference& reference = section.references[i];
      const YamlNode node = root.child("machines").element(m).child("references").element(i);
      CaseSpec* spec = find_case(suite, reference.case_name);
      if (!spec)
        throw node.child("case").error(fmt::format("no case '{}' in this suite", reference.case_name),
                                       unknown_name_hint(reference.case_name, case_names(suite)));
      check_reference(node, reference, *spec);
      spec->gates.push_back(gate_from_json(
          {{"metric", reference.metric},
           {"within", {reference.lower, reference.upper}},
           {"unit", reference.unit},
           {"machine", section.machine},
           {"reading", fmt::format("{:.6g} on {}: {}", reference.reference, section.date, section.reason)}},
          root.file(), spec->metrics));
    }
  }
}

}  // namespace

CaseSpec* find_case(Suite& suite, const std::string& name) {
  const auto found = std::ranges::find(suite.cases, name, &CaseSpec::name);
  return found == suite.cases.end() ? nullptr : &*found;
}

std::vector<std::string> case_names(const Suite& suite) {
  std::vector<std::string> names;
  for (const auto& spec : suite.cases) names.push_back(spec.name);
  return names;
}

void Suite::validate(const Require& require) const { require_device_name(require, device); }

void Reference::validate(const Require& require) const {
  require(lower <= reference && reference <= upper, "reference", "must lie between lower and upper", "");
}

void MachineSection::validate(const Require& require) const {
  require(!machine.empty(), "machine", "is missing", "`bench env` shows this machine's");
}

bool CaseSpec::declares(const std::string& metric) const { return find_declared(metrics, metric) != nullptr; }

void CaseSpec::validate(const Require& require) const {
  require(!name.empty(), "name", "is missing", "");
  require(name.find('/') == std::string::npos, "name", "must not have a slash in it", "");
  require(!has_control_characters(name), "name", "must not have control characters in it", "");
  require(!type.empty(), "case", "is missing", unknown_name_hint("", case_type_names()));
  require(find_case_type(type) != nullptr, "case", fmt::format("unknown case type '{}'", type),
          unknown_name_hint(type, case_type_names()));
  std::set<std::string> declared;
  for (const auto& one : metrics)
    require(declared.insert(one.name).second, "metrics", fmt::format("'{}' is declared twice", one.name), "");
  require(budget_s > 0, "budget_s", "must be positive", "");
  require(processes > 0, "processes", "must be positive", "");
  require_sizes(require, {{"processes", processes}});
  require(precision > 0 && precision < 1, "precision", "must be in (0, 1)", "0.02 means 2 %");
}

namespace {

void check_axes_used(const YamlNode& cases, const std::vector<MatrixAxis>& axes) {
  for (const auto& axis : axes) {
    bool used = false;
    for (std::size_t i = 0; i < cases.yaml().size(); ++i)
      used = used || (cases.element(i).yaml().IsMap() && !axes_for(cases.element(i), {axis}).empty());
    if (!used)
      throw Error(fmt::format("--matrix {}=...", axis.key), "no case of the suite has such a key",
                  "`bench list CASE` shows a case's keys");
  }
}

Suite suite_from(const YamlNode& root, Overrides& overrides, const std::vector<MatrixAxis>& axes = {}) {
  Suite suite;
  FieldReader reader(root);
  reader.read(suite);
  reader.allow("cases");
  reader.finish();
  reader.check(suite);
  const YamlNode cases = root.child("cases");
  if (!names_a_folder(suite.name))
    throw root.child("name").error("must be a plain word: it is the folder of the results");
  if (!cases.defined() || !cases.yaml().IsSequence() || cases.yaml().size() == 0)
    throw cases.error("expected a list of cases", "nothing to run is never a success");
  check_axes_used(cases, axes);
  const auto all = expanded(cases, axes, overrides);
  std::set<std::string> names;
  for (const auto& node : all) {
    CaseSpec spec = read_case(node);
    check_order(node, spec, suite);
    suite.cases.push_back(std::move(spec));
    if (!names.insert(suite.cases.back().name).second)
      throw node.child("name").error(fmt::format("'{}' is the name of two cases", suite.cases.back().name));
  }
  add_references(root, suite);
  overrides.check_all_used();
  return suite;
}

}  // namespace

Suite read_suite(const std::string& file, const std::vector<std::string>& assignments,
                 const std::vector<std::string>& axes) {
  const auto overrides = std::make_shared<Overrides>(assignments);
  std::vector<MatrixAxis> more;
  for (const auto& text : axes) more.push_back(parse_axis(text));
  return suite_from(YamlNode::load(file, overrides), *overrides, more);
}

Suite read_suite_text(const std::string& text, const std::string& file) {
  const auto overrides = std::make_shared<Overrides>();
  return suite_from(YamlNode::parse(text, file, overrides), *overrides);
}

}  // namespace bench::harness
