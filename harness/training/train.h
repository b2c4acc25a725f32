#pragma once

#include "harness/training/out_of_memory.h"
#include "harness/training/run_directory.h"
#include "harness/training/trainer.h"
#include "harness/training/training_data.h"

#include <functional>
#include <limits>

namespace bench::harness {

struct TrainOptions {
  std::int64_t max_steps = 0;  // stop there, but keep the config's schedule; 0: the config's max_steps
  std::optional<Execution> execution = std::nullopt;  // see choose_execution; the config's own if not given
  bool resume = false;                                // from the run directory's newest whole checkpoint
  bool accept_changes = false;                        // resume with a config that has changed since
  bool overwrite = false;                             // replace a run that the run directory already holds
  std::optional<double> budget_s = std::nullopt;      // stop after the step that passes it, but never before the first
  bool quiet = false;
  double save_pause_s = 1;  // between tries to write the last checkpoint
  /// Called after each step with its result and the seconds of its micro-batches and of its update.
  std::function<void(const StepResult&, const std::vector<double>& micro_s, double update_s)> on_step = nullptr;
};

struct TrainSummary {
  std::int64_t steps = 0;      // optimizer steps of the model in all
  std::int64_t steps_due = 0;  // that the run should have made; more than `steps` if it ended early
  int signal = 0;              // that interrupted the run; 0: its time was up, or it did not end early
  double valid_perplexity = std::numeric_limits<double>::quiet_NaN();  // at the end; NaN if it was interrupted
  std::filesystem::path checkpoint;                                    // the last one
  std::string execution;                                               // one line: dtype, micro-batch, checkpointing
  FittedExecution fitted;                                              // as it was run, and why not as asked for
};

/// Trains as the configs say: batches, accumulation, evaluation, logs and checkpoints. Writes final/ at the end, also
/// when the time is up. SIGINT, SIGTERM and SIGHUP end the run after the current step. Then it writes that step's
/// checkpoint, and no final/. If memory runs out before the first step of this call, it begins anew with a smaller
/// micro-batch. Throws Error if memory runs out otherwise, if another run is in the same folder, if the weights are no
/// longer finite, or if writing checkpoints fails again and again.
TrainSummary train(const model::ModelConfig& model_config, const TrainingConfig& config, const TrainingData& data,
                   const Device& device, const TrainOptions& options);

}  // namespace bench::harness
