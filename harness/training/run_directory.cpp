#include "harness/training/run_directory.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/progress.h"
#include "harness/core/temporary.h"
#include "harness/training/attempt.h"
#include "harness/training/training_state.h"

#include <algorithm>
#include <limits>
#include <sstream>
#include <utility>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

constexpr const char* kFinal = "final";
constexpr const char* kStepPrefix = "step-";

bool is_checkpoint_name(const std::string& name) {
  if (name == kFinal) return true;
  const std::string digits = name.starts_with(kStepPrefix) ? name.substr(std::string(kStepPrefix).size()) : "";
  return !digits.empty() && digits.size() < 19 && digits.find_first_not_of("0123456789") == std::string::npos;
}

/// The number of steps of a checkpoint. If its state can't be read, its name says the number. An unreadable final/
/// counts as the last.
std::int64_t steps_of(const fs::path& checkpoint) {
  std::int64_t step = std::numeric_limits<std::int64_t>::max();
  if (!why_failed([&] { step = read_training_state(checkpoint).step; })) return step;
  const std::string name = checkpoint.filename().string();
  return name == kFinal ? step : std::stoll(name.substr(std::string(kStepPrefix).size()));
}

/// The step of a line of metrics.jsonl. Returns nothing if the line was cut off or names no step.
std::optional<std::int64_t> step_of(const std::string& line) {
  try {
    return whole_number(parse_json(line, "metrics.jsonl").at("step"));
  } catch (const Error&) {            // no JSON
  } catch (const Json::exception&) {  // no object, or without a step
  }
  return {};
}

}  // namespace

fs::path RunDirectory::step_checkpoint(std::int64_t step) const {
  return path_ / fmt::format("{}{:06}", kStepPrefix, step);
}

std::vector<fs::path> RunDirectory::checkpoints() const {
  std::vector<std::pair<std::int64_t, fs::path>> found;
  if (!fs::is_directory(path_)) return {};
  for (const auto& entry : fs::directory_iterator(path_))
    if (is_checkpoint_name(entry.path().filename().string()) && entry.is_directory())
      found.emplace_back(-steps_of(entry.path()), entry.path());
  std::ranges::sort(found);
  std::vector<fs::path> paths;
  for (const auto& [steps, path] : found) paths.push_back(path);
  return paths;
}

FileLock RunDirectory::lock() const {
  make_folder(path_);
  remove_stale_temporaries(path_);
  return {path_ / "train.lock", "wait for it, end it, or train elsewhere: --set train.output_dir=DIR"};
}

void RunDirectory::check_holds_no_run() const {
  const auto there = checkpoints();
  if (there.empty()) return;
  throw Error(path_.string(), fmt::format("already holds a run: {}", there.front().filename().string()),
              "--resume goes on with it, --overwrite replaces it, --set train.output_dir=DIR leaves it alone");
}

void RunDirectory::begin(bool overwrite) const {
  if (!overwrite) check_holds_no_run();
  std::vector<fs::path> old = checkpoints();
  for (const auto& entry : fs::directory_iterator(path_)) {
    const std::string name = entry.path().filename().string();
    if (name == "metrics.jsonl" || matches_glob(name, "wandb*.json")) old.push_back(entry.path());
  }
  for (const auto& path : old) fs::remove_all(path);
}

fs::path RunDirectory::retire_final(const fs::path& newest) const {
  std::int64_t step = 0;
  if (why_failed([&] { step = read_training_state(final_checkpoint()).step; })) return newest;  // none, or damaged
  const fs::path place = step_checkpoint(step);
  const bool is_newest = newest == final_checkpoint();
  if (is_newest || !fs::exists(place)) {
    fs::remove_all(place);
    fs::rename(final_checkpoint(), place);
  } else {
    fs::remove_all(final_checkpoint());
  }
  return is_newest ? place : newest;
}

void RunDirectory::rewind(std::int64_t step) const {
  const fs::path file = path_ / "metrics.jsonl";
  if (!fs::exists(file)) return;
  std::istringstream lines(read_file(file));
  std::string kept;
  for (std::string line; std::getline(lines, line);)
    if (const auto logged = step_of(line); logged && *logged <= step) kept += line + "\n";
  write_file_atomically(file, kept);
}

std::optional<std::string> RunDirectory::write_lines() {
  const auto failed = why_failed([&] { append_to_file(path_ / "metrics.jsonl", unwritten_); });
  if (!failed) unwritten_.clear();
  return failed;
}

void RunDirectory::log(const Json& line) {
  const bool said = !unwritten_.empty();
  unwritten_ += dumped(line) + "\n";
  const auto failed = write_lines();
  if (failed && !said) print_status(fmt::format("{}; its lines are kept and written with the next", *failed));
}

void RunDirectory::end_log() {
  if (unwritten_.empty()) return;
  const auto lines = std::ranges::count(unwritten_, '\n');
  if (const auto failed = write_lines()) print_status(fmt::format("{}; its last {} lines are lost", *failed, lines));
}

void RunDirectory::write_wandb(const WandbConfig& config, const Json& effective_config) const {
  if (!config.enabled) return;
  const Json json = {
      {"project", config.project}, {"name", config.name}, {"tags", config.tags}, {"config", effective_config}};
  write_file_atomically(path_ / "wandb.json", dumped(json, 2) + "\n");
}

}  // namespace bench::harness
