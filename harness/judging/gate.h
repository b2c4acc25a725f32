#pragma once

#include "harness/judging/gate_kinds.h"
#include "harness/judging/metric.h"

#include <string>
#include <vector>

namespace bench::harness {

/// Which machines a gate is for: those whose name has that text in it; none: all. In YAML `Apple M4 Max`, which a suite
/// checks against the machines that are known, or `{contains: Apple M4}`, which it takes as it is.
struct MachineMatch {
  std::string text;
  bool unchecked = false;  // written as {contains: ...}

  bool holds(const std::string& machine_name) const { return machine_name.find(text) != std::string::npos; }
  /// Whether that machine may be one of them or not: its processor's name could not be read.
  bool is_open(const std::string& machine_name) const;
};
void read_scalar(const YamlNode& node, MachineMatch& value);
void to_json(Json& json, const MachineMatch& value);

/// What a suite demands of a case: `{metric: peak_memory, at_most: 10.0, unit: GB}`. With `relative_to` the value is
/// the metric divided by the same one of another case: `{metric: decode_tokens_per_s, relative_to: batch-1, at_least:
/// 3, unit: "1"}`.
struct GateConfig {
  std::string metric, unit, relative_to, reading, expected_failure;
  MachineMatch machine;
  std::vector<std::optional<std::vector<double>>> limits{gate_kinds().size()};  // one is given: that of the gate's kind
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
  /// The metric must be a built-in one or one of these, and the limit in its unit.
  void check_metric(const std::vector<DeclaredMetric>& declared, const Require& require) const;

  const GateKind& kind() const;
  const std::vector<double>& limit() const;
  AllowedValues allowed() const { return kind().allowed(limit()); }
  Side side(const Estimate& estimate) const;
  bool applies_on(const std::string& machine_name) const;
  /// "at_most 10 GB", "at_least 3 times batch-1"
  std::string text() const;
};

/// A gate as the suite writes it: the one limit that it has, not a null for each other kind.
Json gate_json(const GateConfig& gate);
/// Throws Error at `where`. `declared`: by the gate's case.
GateConfig gate_from_json(const Json& json, const std::string& where, const std::vector<DeclaredMetric>& declared = {});
/// A gate as a file has it. Throws Error at its place.
GateConfig read_gate(const YamlNode& node, const std::vector<DeclaredMetric>& declared = {});

enum class Verdict { kPass, kExpectedFail, kFail, kNotJudged, kError };
const char* verdict_name(Verdict verdict);

struct GateResult {
  GateConfig gate;
  Verdict verdict = Verdict::kNotJudged;
  bool applies = true;  // false: the gate is for another machine
  Estimate measured;    // the value is NaN when there is none
  std::string reason;   // of anything but a pass
};

/// Judges one gate on what the processes of a case left, on a machine of that name. A timed metric passes or fails only
/// with its whole interval. `base`: as for gate_value.
GateResult judge(const GateConfig& gate, const std::vector<Record>& processes, const std::string& machine,
                 const std::vector<Record>* base = nullptr);

/// The exit code for all gates of a run; ARCHITECTURE.md says what each means.
Exit exit_code(const std::vector<GateResult>& gates, bool any_case_errored);

}  // namespace bench::harness
