#pragma once

#include "harness/training/run_directory.h"
#include "harness/training/training_state.h"
#include "model/decoder.h"

#include <filesystem>
#include <string>
#include <vector>

namespace bench::harness {

/// The point from which a run goes on.
struct ResumePoint {
  std::filesystem::path checkpoint;
  std::int64_t step = 0;
  std::vector<std::string> changes;   // of the config since then: "train.learning_rate 0.003 -> 0.001"
  std::vector<std::string> left_out;  // newer checkpoints, each with what is wrong with it
};

/// Loads the weights of the newest whole checkpoint. A checkpoint is whole if every file matches its checksum and every
/// tensor is there and finite. Throws Error if there is none, if the run was another one (see changes_since), or if its
/// config has changed and that isn't accepted.
ResumePoint load_newest_whole(const RunDirectory& directory, const Json& effective_config, bool accept_changes,
                              model::LanguageModel& model);

/// Lists what has changed in the training config since the run, one line for each change. Throws Error if a change
/// makes it another run: a change of model, data, seed, effective batch, sequence length, or the content of text and
/// tokenizer.
std::vector<std::string> changes_since(const TrainingState& state, const std::filesystem::path& checkpoint,
                                       const Json& effective_config);

/// Lists what has changed in the way in which a step is executed: "micro_batch_size 2 -> 1". These changes are reported
/// but need not be accepted, because `auto` may choose anew whenever other programs need memory.
std::vector<std::string> execution_changes(const TrainingState& state, const Json& effective_config);

}  // namespace bench::harness
