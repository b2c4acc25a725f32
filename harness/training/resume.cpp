#include "harness/training/resume.h"

#include "harness/checkpoints/checkpoints.h"
#include "harness/core/error.h"
#include "harness/training/attempt.h"
#include "model/checkpoint.h"

#include <fmt/ranges.h>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

std::string text_of(const Json& value) { return value.is_string() ? value.get<std::string>() : dumped(value); }

/// Adds a line for each value in `now` that differs from the one in `was`.
void add_changes(const Json& was, const Json& now, const std::string& name, std::vector<std::string>& lines) {
  if (now == was) return;
  if (!now.is_object() || !was.is_object()) {
    lines.push_back(fmt::format("{} {} -> {}", name, was.is_null() ? "nothing" : text_of(was), text_of(now)));
    return;
  }
  for (const auto& [key, value] : now.items())
    add_changes(was.contains(key) ? was[key] : Json(nullptr), value, name.empty() ? key : name + "." + key, lines);
}

/// Throws Error if anything that decides the course of a run has changed.
void check_same_run(const Json& was, const fs::path& checkpoint, const Json& now) {
  for (const char* key : {"/model", "/training/seed", "/training/data", "/training/train/effective_batch_size",
                          "/training/train/max_seq_length"}) {
    const Json::json_pointer pointer(key);
    std::vector<std::string> lines;
    add_changes(was.contains(pointer) ? was[pointer] : Json(nullptr), now[pointer], pointer.back(), lines);
    if (!lines.empty())
      throw Error(checkpoint.string(),
                  fmt::format("the run had another {}: {}", pointer.back(), fmt::join(lines, ", ")),
                  "resume with the configs that the run began with, or start over with --overwrite");
  }
  for (const char* key : {"/inputs/text", "/inputs/tokenizer"}) {
    const Json::json_pointer pointer(key);
    if (!was.contains(pointer) || was[pointer] == now[pointer]) continue;  // older states lack them
    throw Error(
        checkpoint.string(),
        fmt::format("the run had another {}: {}, now {}", pointer.back(), text_of(was[pointer]), text_of(now[pointer])),
        "put back the files that the run began with, or start over with --overwrite");
  }
}

void check_accepted(const std::vector<std::string>& changes, const fs::path& checkpoint) {
  if (changes.empty()) return;
  throw Error(checkpoint.string(), fmt::format("the config has changed since:\n  {}", fmt::join(changes, "\n  ")),
              "--accept-changes goes on so; else resume with the configs that the run began with");
}

}  // namespace

std::vector<std::string> changes_since(const TrainingState& state, const fs::path& checkpoint,
                                       const Json& effective_config) {
  check_same_run(state.config, checkpoint, effective_config);
  Json was = to_json(TrainingConfig{});  // keys that are newer than the checkpoint had their defaults
  was.merge_patch(state.config["training"]);
  was["train"]["output_dir"] = effective_config["training"]["train"]["output_dir"];  // its place may change
  std::vector<std::string> lines;
  add_changes(was, effective_config["training"], "", lines);
  return lines;
}

std::vector<std::string> execution_changes(const TrainingState& state, const Json& effective_config) {
  std::vector<std::string> lines;
  if (state.config.contains("execution"))  // older states lack it
    add_changes(state.config["execution"], effective_config["execution"], "", lines);
  return lines;
}

ResumePoint load_newest_whole(const RunDirectory& directory, const Json& effective_config, bool accept_changes,
                              model::LanguageModel& model) {
  ResumePoint point;
  for (const fs::path& checkpoint : directory.checkpoints()) {
    TrainingState state;
    auto damage = why_failed([&] {
      state = read_training_state(checkpoint);
      verify_checkpoint(checkpoint);
    });
    if (!damage) {
      point.changes = changes_since(state, checkpoint, effective_config);
      if (!accept_changes) check_accepted(point.changes, checkpoint);
      const auto execution = execution_changes(state, effective_config);
      point.changes.insert(point.changes.end(), execution.begin(), execution.end());
      damage = why_failed([&] {
        model::load_weights(model, checkpoint);
        check_training_tensors(checkpoint, model);
      });
    }
    if (damage) {
      point.left_out.push_back(*damage);
      continue;
    }
    point.checkpoint = checkpoint;
    point.step = state.step;
    return point;
  }
  const std::string reasons = fmt::format("\n  {}", fmt::join(point.left_out, "\n  "));
  throw Error(
      directory.path().string(),
      point.left_out.empty() ? "has no checkpoint to resume from" : "has no whole checkpoint to resume from:" + reasons,
      point.left_out.empty() ? "start the run without --resume" : "start over with --overwrite");
}

}  // namespace bench::harness
