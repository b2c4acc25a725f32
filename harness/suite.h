#pragma once

#include "harness/cases/cases.h"
#include "harness/gate.h"

#include <memory>
#include <string>
#include <vector>

namespace bench::harness {

/// One case of a suite: what to run, for how long, and what is demanded of it.
struct CaseSpec {
  std::string name, type;
  double budget_s = 120;
  std::vector<GateConfig> gates;
  Json config;  // effective: every key of the case type with its value

  /// The keys that every case has, whatever its type.
  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("name", self.name, "unique in the suite");
    visit("case", self.type, "a row of `bench list cases`");
    visit("budget_s", self.budget_s, "seconds that the case may take, loading included; a step is never cut short");
    visit("gates", self.gates, "what its metrics must satisfy");
  }
  void validate(const Require& require) const;
};

struct Suite {
  std::string name, description, device = "auto";
  std::vector<CaseSpec> cases;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("name", self.name, "of the suite; the folder of its results");
    visit("description", self.description, "for people");
    visit("device", self.device, "auto, mps, cuda or cpu; --device overrides it");
  }
};

/// Reads and checks a whole suite: every key of every case and of every config it names. Throws Error.
Suite read_suite(const std::string& file, const std::vector<std::string>& assignments = {});

}  // namespace bench::harness
