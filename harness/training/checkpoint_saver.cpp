#include "harness/training/checkpoint_saver.h"

#include "harness/core/error.h"
#include "harness/core/progress.h"
#include "harness/training/attempt.h"

#include <chrono>
#include <thread>

#include <fmt/format.h>

namespace bench::harness {
namespace fs = std::filesystem;

void CheckpointSaver::has(const fs::path& checkpoint, std::int64_t step) {
  newest_ = checkpoint;
  newest_step_ = step;
  failures_ = 0;
}

void CheckpointSaver::attempt(const fs::path& checkpoint, std::int64_t step, const char* next) {
  const auto failed = why_failed([&] { write_(checkpoint); });
  if (!failed) return has(checkpoint, step);
  if (++failures_ >= kMostFailures)
    throw Error::at_run_time(
        checkpoint.string(), fmt::format("cannot be saved, {} times in a row: {}", failures_, *failed),
        newest_ ? fmt::format("mend that and go on with --resume; the newest checkpoint is {}", newest_->string())
                : "no checkpoint of this run could be saved");
  print_status(fmt::format("{}: not saved: {}; tried again {} ({} of {} times)", checkpoint.string(), *failed, next,
                           failures_, kMostFailures));
}

void CheckpointSaver::save(std::int64_t step) {
  attempt(directory_.step_checkpoint(step), step, "after the next step");
}

void CheckpointSaver::save_last(const fs::path& checkpoint, std::int64_t step) {
  failures_ = 0;
  while (true) {
    attempt(checkpoint, step, "in a moment");
    if (!owed()) return;
    std::this_thread::sleep_for(std::chrono::duration<double>(pause_s_));
  }
}

}  // namespace bench::harness
