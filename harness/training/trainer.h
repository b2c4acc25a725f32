#pragma once

#include "harness/data/batches.h"
#include "harness/devices/device.h"
#include "harness/training/execution.h"
#include "harness/training/loss_scaler.h"
#include "harness/training/optimizer.h"
#include "harness/training/training_config.h"
#include "model/decoder.h"

#include <memory>
#include <optional>
#include <string>

namespace bench::harness {

struct StepResult {
  std::int64_t step = 0;  // its number; the first step is 1
  double loss = 0;        // mean over the step's tokens, nats
  double grad_norm = 0;   // before clipping
  double learning_rate = 0;
  bool skipped = false;  // loss or gradients were not finite: the weights stay as they were
};

/// Optimizer steps that were skipped.
struct SkippedSteps {
  std::int64_t total = 0, in_a_row = 0;  // in_a_row: those directly up to the last step
};

/// Optimizer steps of one model on one stream of batches.
class Trainer {
 public:
  /// `batches` must make batches of execution.micro_batch_size. Starts at optimizer step `first_step`.
  Trainer(model::LanguageModel model, const TrainingConfig& config, const Execution& execution, const Device& device,
          const Batches& batches, std::int64_t first_step = 0);

  /// Runs forward and backward on the next micro-batch. Its gradient is added to those of the step's other
  /// micro-batches.
  void micro_step();
  /// Ends an optimizer step: clips the gradients, updates the weights, and clears the gradients. Throws Error when
  /// kMostSkipped steps in a row were not finite.
  StepResult update();
  /// Makes one whole optimizer step.
  StepResult step();

  std::int64_t micro_steps_per_step() const { return micro_steps_per_step_; }
  std::int64_t steps_done() const { return step_; }
  std::int64_t steps_skipped() const { return skipped_.total; }
  SkippedSteps& skipped() { return skipped_; }
  LossScaler& loss_scaler() { return loss_scaler_; }
  AdamW& optimizer() { return optimizer_; }
  /// The first weight or moment that holds NaN or infinity, or nothing.
  std::optional<std::string> first_not_finite() const;
  model::LanguageModel& model() { return model_; }

 private:
  void count_skipped(const StepResult& result);

  model::LanguageModel model_;
  const TrainingConfig& config_;
  const Device& device_;
  AdamW optimizer_;
  static constexpr std::int64_t kMostSkipped = 10;

  LossScaler loss_scaler_;
  std::int64_t micro_batch_size_, micro_steps_per_step_, step_, micro_steps_ = 0;
  SkippedSteps skipped_;
  torch::Tensor loss_sum_;
  Prefetcher prefetcher_;
};

}  // namespace bench::harness
