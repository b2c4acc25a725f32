#pragma once

#include "harness/core/fields.h"
#include "harness/data/tokenizer.h"
#include "harness/training/trainer.h"

#include <filesystem>
#include <fstream>
#include <optional>

namespace bench::harness {

/// The folder of one training run:
///   step-000100/   checkpoints with the optimizer's state, from which the run goes on
///   final/         the last one
///   metrics.jsonl  a JSON object a line: step, loss, learning rate, ..., for scripts/wandb_sync too
///   wandb.json     project, name, tags (only if wandb.enabled)
class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path final_checkpoint() const { return path_ / "final"; }
  std::filesystem::path step_checkpoint(std::int64_t step) const;
  /// The checkpoint with the most steps that holds an optimizer's state.
  std::optional<std::filesystem::path> latest() const;

  /// Begins a run from step 0. A run that is there already is removed if it is to be overwritten, so that nothing can
  /// be resumed from it or taken for the new one's; else Error.
  void begin(bool overwrite) const;
  /// Goes on with a run from that step: forgets what was logged behind it.
  void rewind(std::int64_t step) const;
  void log(const Json& line) const;
  void write_wandb(const WandbConfig& config, const Json& effective_config) const;

 private:
  void check_holds_no_run() const;

  std::filesystem::path path_;
};

/// Writes weights, tokenizer, optimizer and the generator of the dropout masks: all that a run needs to go on exactly.
void save_training_checkpoint(Trainer& trainer, const std::filesystem::path& folder, const Tokenizer* tokenizer,
                              const Json& effective_config);

/// The number of steps of the run that a checkpoint belongs to. Throws Error if it can't be resumed from.
std::int64_t checkpoint_step(const std::filesystem::path& folder);
/// Throws Error if what decides the course of a run (model, data, seed, batch, the content of text and tokenizer) isn't
/// what the checkpoint's run had.
void check_same_run(const std::filesystem::path& folder, const Json& effective_config);
/// Puts optimizer, loss scaler, counts and generator back. The weights are the caller's to load.
void load_training_state(Trainer& trainer, const std::filesystem::path& folder);

}  // namespace bench::harness
