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

/// What a metric is likely to be, in its own unit; worst is where everything that isn't known turns out badly.
struct LikelyRange {
  double worst = 0, likely = 0, best = 0;
};

/// One gate, compared with what arithmetic allows.
struct TargetPlan {
  std::string case_name;
  std::string trained_by;  // the train case that writes the judged checkpoint, if the suite has it
  GateConfig gate;
  Reach reach = Reach::kNoBound;
  double low = 0, high = 0;                // the ends of the gate's target, or its limit twice
  double bound = 0;                        // the best value possible, NaN when nothing bounds it
  std::optional<LikelyRange> likely;       // what it is likely to be, where the machine's figures tell
  double low_factor = 0, high_factor = 0;  // limit / bound, or bound / limit if less is better; NaN if bound is NaN
};

struct Plan {
  std::string suite;
  Ceilings ceilings;
  std::vector<CasePlan> cases;      // the cases about which arithmetic says something
  std::vector<TargetPlan> targets;  // the gates of all cases

  const CasePlan* find(const std::string& case_name) const;
};

/// Compares a suite with a machine by arithmetic alone: nothing runs. A checkpoint's model is the model of the train
/// case whose training config writes the checkpoint. Gates with two limits are left out: they are bounds around a
/// measurement, not targets.
Plan make_plan(const Suite& suite, const Ceilings& ceilings);

/// The number of tokens that are trained on in that many hours, if each step takes its least time.
double tokens_in_hours(const CasePlan& plan, double hours);
/// The seconds for the training config's max_steps, if each step takes its least time.
double seconds_of_training(const CasePlan& plan);

Json to_json(const Plan& plan);

}  // namespace bench::harness
