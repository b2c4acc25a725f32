#pragma once

#include "harness/judging/gate_kinds.h"
#include "harness/judging/metric.h"

#include <string>
#include <vector>

namespace bench::harness {

/// Which machines a gate is for: those whose name contains the text. An empty text means all machines. In YAML the text
/// is written as `Apple M4 Max`, which a suite checks against the known machines, or as `{contains: Apple M4}`, which a
/// suite takes as it is.
struct MachineMatch {
  std::string text;
  bool unchecked = false;  // written as {contains: ...}

  bool holds(const std::string& machine_name) const { return machine_name.find(text) != std::string::npos; }
  /// Whether nobody knows if the gate is for that machine, because the name of the machine's processor could not be
  /// read.
  bool is_open(const std::string& machine_name) const;
};
void read_scalar(const YamlNode& node, MachineMatch& value);
void to_json(Json& json, const MachineMatch& value);

/// What a suite demands of a case: `{metric: peak_memory, at_most: 10.0, unit: GB}`. With `relative_to` the value is
/// the metric divided by the same metric of another case: `{metric: decode_tokens_per_s, relative_to: batch-1,
/// at_least: 3, unit: "1"}`.
struct GateConfig {
  std::string metric, unit, relative_to, reading, expected_failure;
  MachineMatch machine;
  std::vector<std::optional<std::vector<double>>> limits{gate_kinds().size()};  // only the gate's own kind has one
  std::vector<double> target;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("metric", self.metric, "a row of `bench list metrics`");
    for (std::size_t i = 0; i < gate_kinds().size(); ++i)
      visit(gate_kinds()[i].name, self.limits[i], gate_kinds()[i].meaning);
    visit("unit", self.unit, "the limit's unit; must be the metric's, or 1 with relative_to");
    visit("relative_to", self.relative_to,
          "name of an earlier case: the value is divided by the same metric's of that case");
    visit(
        "machine", self.machine,
        "judged only where the processor's name has this in it: that of a machine that is known (configs/machines) or, "
        "as {contains: TEXT}, of any; empty: everywhere");
    visit("target", self.target, "the range that somebody aims at, from the limit of at_least or above on: [2, 3]");
    visit("reading", self.reading, "how the target is read, shown beside the verdict");
    visit(
        "expected_failure", self.expected_failure,
        "why this gate is known to fail: then a failure is accepted, and a pass fails, so that the mark gets removed");
  }
  void validate(const Require& require) const;
  /// Requires that the metric is built in or one of `declared`, and that the limit is in the metric's unit.
  void check_metric(const std::vector<DeclaredMetric>& declared, const Require& require) const;

  const GateKind& kind() const;
  const std::vector<double>& limit() const;
  AllowedValues allowed() const { return kind().allowed(limit()); }
  Side side(const Estimate& estimate) const;
  bool applies_on(const std::string& machine_name) const;
  /// "at_most 10 GB", "at_least 3 times batch-1"
  std::string text() const;
};

/// Returns the gate as a suite writes it: with its one limit, and without a null for each other kind.
Json gate_json(const GateConfig& gate);
/// Reads a gate from JSON. `declared`: the metrics that the gate's case declares. Throws Error at `where`.
GateConfig gate_from_json(const Json& json, const std::string& where, const std::vector<DeclaredMetric>& declared = {});
/// Reads a gate from a file. Throws Error at the gate's place in the file.
GateConfig read_gate(const YamlNode& node, const std::vector<DeclaredMetric>& declared = {});

enum class Verdict { kPass, kExpectedFail, kFail, kNotJudged, kError };
const char* verdict_name(Verdict verdict);

struct GateResult {
  GateConfig gate;
  Verdict verdict = Verdict::kNotJudged;
  bool applies = true;  // false: the gate is for another machine
  Estimate measured;    // the value is NaN when there is none
  std::string reason;   // why the verdict is not a pass
};

/// Judges one gate by what the processes of a case left on a machine of that name. A timed metric passes or fails only
/// with its whole interval; it also fails when its value isn't finite, or when the limit lies out of the machine's
/// reach. `base`: as for gate_value.
GateResult judge(const GateConfig& gate, const std::vector<Record>& processes, const std::string& machine,
                 const std::vector<Record>* base = nullptr);

/// The exit code for all gates of a run; ARCHITECTURE.md says what each means.
Exit exit_code(const std::vector<GateResult>& gates, bool any_case_errored);

}  // namespace bench::harness
