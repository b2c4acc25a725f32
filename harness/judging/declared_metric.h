#pragma once

#include "harness/core/fields.h"

#include <string>
#include <vector>

namespace bench::harness {

/// A metric that a case declares itself, beside the built-in ones. In a suite:
///
///     metrics: [{name: tokens_per_joule, unit: tokens/J, better: higher}]
///
/// Its samples are the record's series of the same name. The value of a timed metric is the median of its samples. The
/// value of an exact metric is its worst sample. The record keeps the declaration too, so that a program that doesn't
/// know the case judges its report in the same way.
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

/// Returns the declared metric of that name, or nullptr.
const DeclaredMetric* find_declared(const std::vector<DeclaredMetric>& declared, const std::string& name);

/// Throws Error at `where` if the JSON isn't a list of declared metrics, or if it declares a metric twice.
std::vector<DeclaredMetric> declared_from_json(const Json& json, const std::string& where);

}  // namespace bench::harness
