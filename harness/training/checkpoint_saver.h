#pragma once

#include "harness/training/run_directory.h"

#include <filesystem>
#include <functional>
#include <optional>

namespace bench::harness {

/// Writes a run's checkpoints. A save that fails costs no run: it is said and tried again, some times.
class CheckpointSaver {
 public:
  /// `write` writes the checkpoint into a folder and throws if it can't; `pause_s` is waited between tries to write the
  /// last one.
  CheckpointSaver(const RunDirectory& directory, std::function<void(const std::filesystem::path&)> write,
                  double pause_s)
      : directory_(directory), write_(std::move(write)), pause_s_(pause_s) {}

  /// There is one of that step already, such as the one that a run goes on from.
  void has(const std::filesystem::path& checkpoint, std::int64_t step);
  /// Writes the one of a step. If that fails it is owed; throws Error when kMostFailures in a row failed.
  void save(std::int64_t step);
  /// Did the last save() fail? Then another is due after the next step.
  bool owed() const { return failures_ > 0; }
  /// Writes the last one of a run there, trying as often; throws Error if none of that helps.
  void save_last(const std::filesystem::path& checkpoint, std::int64_t step);

  /// The newest that is there, and its step (-1: none).
  const std::optional<std::filesystem::path>& newest() const { return newest_; }
  std::int64_t newest_step() const { return newest_step_; }

  static constexpr int kMostFailures = 5;

 private:
  /// One try. Throws Error if it is the last that is allowed.
  void attempt(const std::filesystem::path& checkpoint, std::int64_t step, const char* next);

  const RunDirectory& directory_;
  std::function<void(const std::filesystem::path&)> write_;
  double pause_s_;
  int failures_ = 0;  // in a row
  std::optional<std::filesystem::path> newest_;
  std::int64_t newest_step_ = -1;
};

}  // namespace bench::harness
