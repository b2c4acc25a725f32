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
///   final/         the last one, of a run that made all its steps
///   metrics.jsonl  a JSON object a line: step, loss, learning rate, ..., for scripts/wandb_sync too
///   wandb.json     project, name, tags (only if wandb.enabled)
///   train.lock     says which process trains here, while one does
class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path final_checkpoint() const { return path_ / "final"; }
  std::filesystem::path step_checkpoint(std::int64_t step) const;
  /// All checkpoints, whole or not, the one of the most steps first.
  std::vector<std::filesystem::path> checkpoints() const;

  /// Makes the folder and keeps others from training in it; what a killed run left half-written goes. Throws Error if
  /// another run is in it.
  FileLock lock() const;
  /// Begins a run from step 0. A run that is there already is removed if it is to be overwritten, so that nothing can
  /// be resumed from it or taken for the new one's; else Error.
  void begin(bool overwrite) const;
  /// Goes on with a run from that step: forgets what was logged behind it.
  void rewind(std::int64_t step) const;
  /// A run that has gone on past final/, or will, has no last checkpoint: it becomes the one of its step, which it
  /// replaces if it is itself `newest`, the newest whole one. Returns where that is then.
  std::filesystem::path retire_final(const std::filesystem::path& newest) const;

  /// Adds a line to metrics.jsonl. A line that can't be written is said, kept, and written with the next one.
  void log(const Json& line);
  /// Tries once more to write what couldn't be, and says what is lost.
  void end_log();
  void write_wandb(const WandbConfig& config, const Json& effective_config) const;

 private:
  void check_holds_no_run() const;
  /// Nothing, or why the lines that are due couldn't be written.
  std::optional<std::string> write_lines();

  std::filesystem::path path_;
  std::string unwritten_;  // whole lines
};

}  // namespace bench::harness
