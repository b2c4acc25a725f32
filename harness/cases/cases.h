#pragma once

#include "harness/cases/context.h"
#include "harness/core/fields.h"
#include "harness/cost/case_plan.h"

#include <span>
#include <string>
#include <vector>

namespace bench::harness {

/// A kind of work that a suite can ask for.
struct CaseType {
  const char* name;
  const char* meaning;
  /// Reads and checks the case's own keys; returns the effective config.
  Json (*read)(FieldReader& reader);
  /// Runs the case with an effective config. The record has the case's name and type; a case that fails keeps what it
  /// had put into it.
  void (*run)(const Json& config, Context& context, Record& record);
  /// Returns the effective config without the keys that have their default values.
  Json (*without_defaults)(const Json& config);
  std::vector<FieldHelp> (*keys)();
  /// The case's own metrics that its config says how to find; nullptr: any series may be one.
  std::vector<std::string> (*reads)(const Json& config) = nullptr;
  /// Computes, by arithmetic, what a unit of the case's work must cost with that model. `plan` already has the case's
  /// name and parameters. nullptr: arithmetic says nothing about this type.
  void (*plan)(const Json& config, const model::ModelConfig& model, const Ceilings& ceilings, CasePlan& plan) = nullptr;
};

std::span<const CaseType> case_types();
/// The type of that name, or nullptr.
const CaseType* find_case_type(const std::string& name);
std::vector<std::string> case_type_names();

}  // namespace bench::harness
