#pragma once

#include "harness/cost/memory_profile.h"
#include "harness/planning/ceilings.h"
#include "harness/running/suite.h"

#include <optional>
#include <string>
#include <vector>

namespace bench::harness {

/// What a train case's optimizer steps come to.
struct TrainingPlan {
  double tokens_per_step = 0, max_steps = 0;
  double flops_without_attention = 0;  // of a step: 6 x parameters x tokens
  std::int64_t batch_size = 0, micro_batch_size = 0, accumulation_steps = 0,
               seq_length = 0;          // batch_size: the config's
  bool gradient_checkpointing = false;  // as the case runs it
  bool config_checkpointing = false;    // as the training config has it
  MemoryEstimate config_memory;         // at the config's own batch_size and gradient_checkpointing
};

/// What one unit of a case's work (optimizer step, prompt, decode step) must cost.
struct CasePlan {
  std::string name, type, dtype;
  double parameters = 0, parameters_without_embedding = 0;
  double batch = 0, tokens = 0;           // sequences together, tokens of a unit
  double flops = 0, bytes = 0;            // of a unit, attention included; bytes read and written at least
  double weight_bytes = 0, kv_bytes = 0;  // of a forward pass's bytes
  MemoryEstimate memory;
  double seconds = 0;            // least time of a unit
  bool bound_by_memory = false;  // reads take longer than matrix products
  std::optional<TrainingPlan> training;
};

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
