#pragma once

#include "harness/core/fields.h"
#include "harness/data/tokenizer.h"
#include "harness/training/trainer.h"

#include <filesystem>

namespace bench::harness {

/// What the checkpoint of a run says about the run, besides its tensors.
struct TrainingState {
  std::int64_t step = 0, updates = 0;
  SkippedSteps skipped;
  std::optional<double> loss_scale;  // nothing: written by an older program, which didn't keep it
  std::int64_t loss_scale_good_steps = 0;
  Json config = Json::object();  // the effective one: model, training, inputs
};

/// Reads the training state. Throws Error if the checkpoint has none, or if it can't be read.
TrainingState read_training_state(const std::filesystem::path& checkpoint);

/// Writes the weights, the tokenizer and the optimizer: all that a run needs to go on exactly. Dropout masks follow
/// from the run's seed and the number of the step.
void save_training_checkpoint(Trainer& trainer, const std::filesystem::path& folder, const Tokenizer* tokenizer,
                              const Json& effective_config);

/// Throws Error unless each weight of `model` has its optimizer tensors, and these tensors and the weights are finite.
void check_training_tensors(const std::filesystem::path& folder, const model::LanguageModel& model);

/// Restores the optimizer, the loss scaler and the counts. The caller must load the weights.
void load_training_state(Trainer& trainer, const std::filesystem::path& folder);

}  // namespace bench::harness
