#pragma once

#include "harness/cost/case_plan.h"
#include "harness/planning/ceilings.h"
#include "harness/running/suite.h"

#include <optional>
#include <string>
#include <vector>

namespace bench::harness {

enum class Reach { kOut, kNotExcluded, kNoBound };
const char* reach_name(Reach reach);

/// One gate held against arithmetic.
struct TargetPlan {
  std::string case_name;
  std::string trained_by;  // the train case that writes the checkpoint judged, if the suite has it
  GateConfig gate;
  Reach reach = Reach::kNoBound;
  double low = 0, high = 0;                // the gate's target, or its limit twice
  double bound = 0;                        // the best value possible, NaN when nothing bounds it
  double low_factor = 0, high_factor = 0;  // limit / bound, or bound / limit where less is better; NaN as well
};

struct Plan {
  std::string suite;
  Ceilings ceilings;
  std::vector<CasePlan> cases;      // those that arithmetic says something about
  std::vector<TargetPlan> targets;  // the gates of all cases

  const CasePlan* find(const std::string& case_name) const;
};

/// Holds a suite against a machine, by arithmetic alone: nothing runs. A checkpoint's model is that of the train case
/// whose training config writes it. Gates with two limits are bounds around a measurement, no targets, and left out.
Plan make_plan(const Suite& suite, const Ceilings& ceilings);

/// Tokens that are trained on in so many hours at the least time of a step.
double tokens_in_hours(const CasePlan& plan, double hours);
/// Days of the training config's max_steps at the least time of a step.
double days_of_training(const CasePlan& plan);

Json to_json(const Plan& plan);

}  // namespace bench::harness
