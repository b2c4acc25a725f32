#pragma once

#include "harness/training/run_directory.h"
#include "harness/training/training_data.h"

#include <functional>

namespace bench::harness {

struct TrainOptions {
  std::int64_t max_steps = 0;  // stop there, the schedule staying the config's; 0: the config's max_steps
  std::optional<Execution> execution = std::nullopt;  // see choose_execution; the config's own if not given
  bool resume = false;                                // from the run directory's latest checkpoint
  bool overwrite = false;                             // replace a run that the run directory already holds
  std::optional<double> budget_s = std::nullopt;      // stop after the step that passes it, the first at the earliest
  bool quiet = false;
  /// Called after each step with its result and the seconds of its micro-batches and of its update.
  std::function<void(const StepResult&, const std::vector<double>& micro_s, double update_s)> on_step = nullptr;
};

struct TrainSummary {
  std::int64_t steps = 0;       // optimizer steps of the model in all
  double valid_perplexity = 0;  // of the last evaluation
  std::filesystem::path checkpoint;
  std::string execution;  // one line: dtype, micro-batch, checkpointing
};

/// Trains as the configs say: batches, accumulation, evaluation, logs and checkpoints; SIGINT, SIGTERM and SIGHUP end
/// the run after the current step with a checkpoint. Writes final/ at the end.
TrainSummary train(const model::ModelConfig& model_config, const TrainingConfig& config, const TrainingData& data,
                   const Device& device, const TrainOptions& options);

}  // namespace bench::harness
