#pragma once

#include "harness/training/run_directory.h"
#include "harness/training/trainer.h"
#include "harness/training/training_data.h"

#include <functional>
#include <limits>

namespace bench::harness {

struct TrainOptions {
  std::int64_t max_steps = 0;  // stop there, the schedule staying the config's; 0: the config's max_steps
  std::optional<Execution> execution = std::nullopt;  // see choose_execution; the config's own if not given
  bool resume = false;                                // from the run directory's newest whole checkpoint
  bool accept_changes = false;                        // resume with a config that has changed since
  bool overwrite = false;                             // replace a run that the run directory already holds
  std::optional<double> budget_s = std::nullopt;      // stop after the step that passes it, the first at the earliest
  bool quiet = false;
  double save_pause_s = 1;  // between tries to write the last checkpoint
  /// Called after each step with its result and the seconds of its micro-batches and of its update.
  std::function<void(const StepResult&, const std::vector<double>& micro_s, double update_s)> on_step = nullptr;
};

struct TrainSummary {
  std::int64_t steps = 0;      // optimizer steps of the model in all
  std::int64_t steps_due = 0;  // that the run was to have made; more than `steps` if something ended it early:
  int signal = 0;              // that interrupted it; 0: its time was up, or nothing ended it early
  double valid_perplexity = std::numeric_limits<double>::quiet_NaN();  // at the end; NaN if it was interrupted
  std::filesystem::path checkpoint;                                    // the last one
  std::string execution;                                               // one line: dtype, micro-batch, checkpointing
};

/// Trains as the configs say: batches, accumulation, evaluation, logs and checkpoints. Writes final/ at the end, also
/// when the time is up. SIGINT, SIGTERM and SIGHUP end the run after the current step with that step's checkpoint,
/// and no final/. Throws Error if another run is in the same folder, if the weights are no longer finite, or if
/// checkpoints can't be written again and again.
TrainSummary train(const model::ModelConfig& model_config, const TrainingConfig& config, const TrainingData& data,
                   const Device& device, const TrainOptions& options);

}  // namespace bench::harness
