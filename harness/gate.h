#pragma once

#include "harness/metric.h"

#include <span>
#include <string>
#include <vector>

namespace bench::harness {

/// A comparison of a value with one or two numbers.
struct GateKind {
  const char* name;
  const char* meaning;
  std::size_t limits;  // how many numbers it takes
  bool (*holds)(double value, const std::vector<double>& limits);
};
std::span<const GateKind> gate_kinds();

/// What a suite demands of a case: `{metric: peak_memory, at_most: 10.0, unit: GB}`.
struct GateConfig {
  std::string metric, unit, machine, reading;
  std::vector<std::optional<std::vector<double>>> limits{gate_kinds().size()};  // one is given: that of the gate's kind

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("metric", self.metric, "a row of `bench list metrics`");
    for (std::size_t i = 0; i < gate_kinds().size(); ++i)
      visit(gate_kinds()[i].name, self.limits[i], gate_kinds()[i].meaning);
    visit("unit", self.unit, "the limit's unit; must be the metric's");
    visit("machine", self.machine, "judged only where the processor's name has this in it; empty: everywhere");
    visit("reading", self.reading, "how the target is read, shown beside the verdict");
  }
  void validate(const Require& require) const;

  const GateKind& kind() const;
  const std::vector<double>& limit() const;
  /// "at_most 10 GB"
  std::string text() const;
};

enum class Verdict { kPass, kFail, kNotJudged, kError };
const char* verdict_name(Verdict verdict);

struct GateResult {
  GateConfig gate;
  Verdict verdict = Verdict::kNotJudged;
  bool applies = true;  // false: the gate is for another machine
  double value = 0;     // NaN when there is none
  std::string reason;   // of anything but a pass
};

/// Judges one gate on one record, on a machine whose processor calls itself `processor`.
GateResult judge(const GateConfig& gate, const Record& record, const std::string& processor);

/// The exit code for all gates of a run; ARCHITECTURE.md says what each means.
Exit exit_code(const std::vector<GateResult>& gates, bool any_case_errored);

}  // namespace bench::harness
