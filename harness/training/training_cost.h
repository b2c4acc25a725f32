#pragma once

#include "harness/training/training_config.h"
#include "model/config.h"

#include <string>

namespace bench::harness {

/// Where a run stands and how long its steps take.
struct RunPace {
  std::int64_t steps_done = 0, last_step = 0;
  double step_s = 0;
  std::int64_t text_tokens = 0;  // of the training text
};

/// What the rest of a run will cost, in one or two lines: time left, its checkpoints, passes over the text.
std::string training_cost_text(const model::ModelConfig& model, const TrainingConfig& config, const RunPace& pace);

}  // namespace bench::harness
