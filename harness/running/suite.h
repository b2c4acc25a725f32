#pragma once

#include "harness/cases/cases.h"
#include "harness/judging/report.h"

#include <memory>
#include <string>
#include <vector>

namespace bench::harness {

/// One case of a suite: what to run, for how long, and what is demanded of it.
struct CaseSpec {
  std::string name, type;
  double budget_s = 120, precision = 0.02;
  std::int64_t processes = 1;
  std::vector<std::string> after;
  std::vector<DeclaredMetric> metrics;  // that the case declares itself
  std::vector<GateConfig> gates;
  Json config;  // effective: every key of the case type with its value

  /// The keys that every case has, whatever its type.
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("name", self.name, "unique in the suite");
    visit("case", self.type, "a row of `bench list cases`");
    visit("budget_s", self.budget_s,
          "seconds that one process of the case may take, loading included; a step is never cut short");
    visit("processes", self.processes, "at most so many fresh processes, for speed varies from one to the next");
    visit("precision", self.precision,
          "without a gate on its speed alone, stop when half of the speed's 95 % interval is this share of it");
    visit("after", self.after, "names of cases that must have run before");
    visit("metrics", self.metrics, "of its own: {name, unit, better, nature}, each the series of that name");
    visit("gates", self.gates, "what its metrics must satisfy");
  }
  void validate(const Require& require) const;
  bool declares(const std::string& metric) const;
};

/// The value of a case's metric on a machine, and the bounds that follow from it. `bench calibrate` writes these.
struct Reference {
  std::string case_name, metric, unit;
  double reference = 0, lower = 0, upper = 0;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("case", self.case_name, "name of a case of this suite");
    visit("metric", self.metric, "a row of `bench list metrics`");
    visit("reference", self.reference, "what was measured");
    visit("lower", self.lower, "least value that passes");
    visit("upper", self.upper, "greatest value that passes");
    visit("unit", self.unit, "of the three; must be the metric's");
  }
  void validate(const Require& require) const;
};

/// The references of one machine.
struct MachineSection {
  std::string machine, date, reason;
  std::vector<Reference> references;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("machine", self.machine, "judged only where the machine's name has this in it");
    visit("date", self.date, "of the measurement");
    visit("reason", self.reason, "how the bounds were found");
    visit("references", self.references, "metrics of cases with their bounds");
  }
  void validate(const Require& require) const;
};

struct Suite {
  std::string name, description, device = "auto";
  std::vector<CaseSpec> cases;
  std::vector<MachineSection> machines;  // their references are also gates of the cases

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("name", self.name, "of the suite; the folder of its results");
    visit("description", self.description, "for people");
    visit("device", self.device, "auto, or one of `bench list devices`; --device overrides it");
    visit("machines", self.machines, "gates of single machines; `bench calibrate` writes them");
  }
  void validate(const Require& require) const;
};

std::vector<std::string> case_names(const Suite& suite);
/// The case of that name, or nullptr.
CaseSpec* find_case(Suite& suite, const std::string& name);

/// Reads and checks a whole suite: every key of every case, and of every config that a case names. `assignments`: the
/// values of --set. `axes`: the values of --matrix. Throws Error.
Suite read_suite(const std::string& file, const std::vector<std::string>& assignments = {},
                 const std::vector<std::string>& axes = {});
/// Does the same for a text that is to become that file.
Suite read_suite_text(const std::string& text, const std::string& file);

}  // namespace bench::harness
