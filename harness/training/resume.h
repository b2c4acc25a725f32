#pragma once

#include "harness/training/run_directory.h"
#include "harness/training/training_state.h"
#include "model/decoder.h"

#include <filesystem>
#include <string>
#include <vector>

namespace bench::harness {

/// Where a run goes on.
struct ResumePoint {
  std::filesystem::path checkpoint;
  std::int64_t step = 0;
  std::vector<std::string> changes;   // of the config since then: "train.learning_rate 0.003 -> 0.001"
  std::vector<std::string> left_out;  // newer checkpoints, each with what is wrong with it
};

/// Loads the weights of the newest checkpoint that is whole: every file as its checksum says, every tensor there and
/// finite. Throws Error if there is none, if the run was another one (see changes_since), or if its config has changed
/// and that isn't accepted.
ResumePoint load_newest_whole(const RunDirectory& directory, const Json& effective_config, bool accept_changes,
                              model::LanguageModel& model);

/// What of the training config is no longer as the run had it, a line each. Throws Error where that makes it another
/// run: model, data, seed, effective batch, sequence length, the content of text and tokenizer.
std::vector<std::string> changes_since(const TrainingState& state, const std::filesystem::path& checkpoint,
                                       const Json& effective_config);

/// What of the way in which a step is executed is no longer as it was: "micro_batch_size 2 -> 1". That is said, but
/// needs no word of acceptance: `auto` may choose anew whenever other programs need memory.
std::vector<std::string> execution_changes(const TrainingState& state, const Json& effective_config);

}  // namespace bench::harness
