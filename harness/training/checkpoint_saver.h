#pragma once

#include "harness/training/run_directory.h"

#include <filesystem>
#include <functional>
#include <optional>

namespace bench::harness {

/// Writes a run's checkpoints. A failed save does not end the run: it is reported and tried again. Only kMostFailures
/// failures in a row end the run.
class CheckpointSaver {
 public:
  /// `write` writes the checkpoint into a folder, and throws if it can't. `pause_s`: seconds to wait between tries to
  /// write the last checkpoint.
  CheckpointSaver(const RunDirectory& directory, std::function<void(const std::filesystem::path&)> write,
                  double pause_s)
      : directory_(directory), write_(std::move(write)), pause_s_(pause_s) {}

  /// Notes that a checkpoint of that step exists already, for example the one from which a run goes on.
  void has(const std::filesystem::path& checkpoint, std::int64_t step);
  /// Writes the checkpoint of a step. If that fails, the checkpoint is owed. Throws Error when kMostFailures tries in a
  /// row have failed.
  void save(std::int64_t step);
  /// Whether the last save() failed. Then another save is due after the next step.
  bool owed() const { return failures_ > 0; }
  /// Writes the last checkpoint of a run into `checkpoint`. Tries up to kMostFailures times, and throws Error if all of
  /// them fail.
  void save_last(const std::filesystem::path& checkpoint, std::int64_t step);

  /// The newest checkpoint, and its step (-1: there is none).
  const std::optional<std::filesystem::path>& newest() const { return newest_; }
  std::int64_t newest_step() const { return newest_step_; }

  static constexpr int kMostFailures = 5;

 private:
  /// Tries once to write a checkpoint. Throws Error if this fails and no further try is allowed.
  void attempt(const std::filesystem::path& checkpoint, std::int64_t step, const char* next);

  const RunDirectory& directory_;
  std::function<void(const std::filesystem::path&)> write_;
  double pause_s_;
  int failures_ = 0;  // in a row
  std::optional<std::filesystem::path> newest_;
  std::int64_t newest_step_ = -1;
};

}  // namespace bench::harness
