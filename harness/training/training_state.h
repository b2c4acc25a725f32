#pragma once

#include "harness/core/fields.h"
#include "harness/data/tokenizer.h"
#include "harness/training/trainer.h"

#include <filesystem>

namespace bench::harness {

/// What a checkpoint of a run says of it beside the tensors.
struct TrainingState {
  std::int64_t step = 0, updates = 0;
  SkippedSteps skipped;
  std::optional<double> loss_scale;  // none: an older program's, which didn't keep it
  std::int64_t loss_scale_good_steps = 0;
  std::string device;
  Json config = Json::object();  // the effective one: model, training, inputs
};

/// Throws Error if the checkpoint has none, or none that can be read.
TrainingState read_training_state(const std::filesystem::path& checkpoint);

/// Writes weights, tokenizer, optimizer and the generator of the dropout masks: all that a run needs to go on exactly.
void save_training_checkpoint(Trainer& trainer, const std::filesystem::path& folder, const Tokenizer* tokenizer,
                              const Json& effective_config);

/// Throws Error unless the optimizer's tensors are there for each weight of `model`, and are finite as its weights are.
void check_training_tensors(const std::filesystem::path& folder, const model::LanguageModel& model);

/// Puts optimizer, loss scaler, counts and generator back. The weights are the caller's to load.
void load_training_state(Trainer& trainer, const std::filesystem::path& folder);

}  // namespace bench::harness
