#pragma once

#include "harness/core/fields.h"

#include <string>
#include <vector>

namespace bench::harness {

/// A metric that a case brings along, in a suite
///
///     metrics: [{name: tokens_per_joule, unit: tokens/J, better: higher}]
///
/// Its samples are the record's series of that name; a timed one is their median, of an exact one the worst counts. It
/// stands in the record too, so that a report is judged the same by a program that never knew the case.
struct DeclaredMetric {
  std::string name = {}, unit = {};
  OneOf<"lower", "higher", "unchanged"> better = {};
  OneOf<"timed", "exact"> nature = {};
  std::string meaning = {};

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("name", self.name, "letters, digits and _; one of `bench list metrics` if it means the same");
    visit("unit", self.unit, "such as ms or tokens/s; \"1\" where there is none");
    visit("better", self.better, "which change is one for the better; unchanged: any is a fault");
    visit("nature", self.nature, "whether an interval decides about it, or it is decided as it stands");
    visit("meaning", self.meaning, "one sentence for people");
  }
  void validate(const Require& require) const;
  bool operator==(const DeclaredMetric&) const = default;
};

/// The one of that name, or nullptr.
const DeclaredMetric* find_declared(const std::vector<DeclaredMetric>& declared, const std::string& name);

/// Throws Error at `where` for what is no list of declared metrics, or has one twice.
std::vector<DeclaredMetric> declared_from_json(const Json& json, const std::string& where);

}  // namespace bench::harness
