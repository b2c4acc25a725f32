#pragma once

#include "harness/core/fields.h"
#include "harness/core/file_lock.h"
#include "harness/training/training_config.h"

#include <filesystem>
#include <string>
#include <vector>

namespace bench::harness {

/// The folder of one training run:
///   step-000100/   checkpoints with the optimizer's state, from which the run goes on
///   final/         the last one, of a run that came to its end: all steps made, or its time budget used up
///   metrics.jsonl  a JSON object a line: step, loss, learning rate, ..., for scripts/wandb_sync too
///   wandb.json     project, name, tags (only if wandb.enabled)
///   train.lock     says which process trains here, while one does
class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path final_checkpoint() const { return path_ / "final"; }
  std::filesystem::path step_checkpoint(std::int64_t step) const;
  /// All checkpoints, whole or not. The one with the most steps comes first.
  std::vector<std::filesystem::path> checkpoints() const;

  /// Makes the folder, and keeps other runs from training in it. Removes what a killed run left half-written. Throws
  /// Error if another run is training in it.
  FileLock lock() const;
  /// Begins a run from step 0. If the folder already holds a run, `overwrite` removes it, so that nothing can be
  /// resumed from it or taken for the new run's. Without `overwrite`, throws Error.
  void begin(bool overwrite) const;
  /// Prepares to go on with a run from that step: removes what was logged after it.
  void rewind(std::int64_t step) const;
  /// Turns final/ into the checkpoint of its step. A run that has gone on past final/, or will, has no last checkpoint.
  /// `newest` is the newest whole checkpoint. If final/ is the newest itself, it replaces an existing checkpoint of its
  /// step. Otherwise an existing one stays, and final/ is removed. Returns where the newest one is afterwards.
  std::filesystem::path retire_final(const std::filesystem::path& newest) const;

  /// Adds a line to metrics.jsonl. A line that can't be written is kept and written with the next one. The failure is
  /// reported.
  void log(const Json& line);
  /// Tries once more to write the lines that couldn't be written, and says how many are lost.
  void end_log();
  void write_wandb(const WandbConfig& config, const Json& effective_config) const;

 private:
  void check_holds_no_run() const;
  /// Writes the lines that are due. Returns nothing, or why they couldn't be written.
  std::optional<std::string> write_lines();

  std::filesystem::path path_;
  std::string unwritten_;  // whole lines
};

}  // namespace bench::harness
