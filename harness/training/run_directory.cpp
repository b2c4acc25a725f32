#include "harness/training/run_directory.h"

#include "harness/checkpoints.h"
#include "harness/core/files.h"

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

constexpr const char* kStateFile = "training_state.json";
constexpr const char* kTensorsFile = "training_state.safetensors";
constexpr const char* kGenerator = "generator";

Json read_state(const fs::path& folder) {
  const fs::path file = folder / kStateFile;
  if (!fs::exists(file)) throw Error(folder.string(), "holds no optimizer state to resume from", "checkpoints of bench train do");
  const Json state = Json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  if (!state.is_object() || !state.contains("step") || !state["step"].is_number_integer())
    throw Error(file.string(), "is not a training state");
  return state;
}

}  // namespace

fs::path RunDirectory::step_checkpoint(std::int64_t step) const { return path_ / fmt::format("step-{:06}", step); }

std::optional<fs::path> RunDirectory::latest() const {
  std::optional<fs::path> latest;
  std::int64_t most = -1;
  if (!fs::is_directory(path_)) return latest;
  for (const auto& entry : fs::directory_iterator(path_)) {
    if (entry.path().filename().string().front() == '.' || !fs::exists(entry.path() / kStateFile)) continue;
    const std::int64_t step = checkpoint_step(entry.path());
    if (step <= most) continue;
    most = step;
    latest = entry.path();
  }
  return latest;
}

void RunDirectory::begin(bool overwrite) const {
  if (const auto checkpoint = latest(); checkpoint && !overwrite)
    throw Error(path_.string(), fmt::format("already holds a run of {} steps", checkpoint_step(*checkpoint)),
                "--resume goes on with it, --overwrite replaces it, --set train.output_dir=DIR leaves it alone");
  fs::remove(path_ / "metrics.jsonl");
}

void RunDirectory::log(const Json& line) const {
  fs::create_directories(path_);
  std::ofstream out(path_ / "metrics.jsonl", std::ios::app);
  out << line.dump() << "\n";
  out.close();
  if (!out) throw Error::at_run_time((path_ / "metrics.jsonl").string(), "cannot be written", "is the disk full?");
}

void RunDirectory::write_wandb(const WandbConfig& config, const Json& effective_config) const {
  if (!config.enabled) return;
  const Json json = {{"project", config.project}, {"name", config.name}, {"tags", config.tags}, {"config", effective_config}};
  write_file_atomically(path_ / "wandb.json", json.dump(2) + "\n");
}

void save_training_checkpoint(Trainer& trainer, const fs::path& folder, const fs::path& tokenizer, const Json& effective_config) {
  write_checkpoint(trainer.model(), folder, torch::kFloat32, tokenizer, [&](const fs::path& temporary) {
    model::NamedTensors tensors = trainer.optimizer().state();
    tensors[kGenerator] = at::globalContext().defaultGenerator(trainer.model()->device()).get_state();
    model::write_safetensors(temporary / kTensorsFile, tensors);
    write_file_atomically(temporary / kStateFile,
                          Json{{"step", trainer.steps_done()}, {"config", effective_config}}.dump(2) + "\n");
  });
}

std::int64_t checkpoint_step(const fs::path& folder) { return read_state(folder)["step"].get<std::int64_t>(); }

void load_training_state(Trainer& trainer, const fs::path& folder) {
  const std::int64_t step = checkpoint_step(folder);
  const model::NamedTensors tensors = model::read_safetensors(folder / kTensorsFile);
  trainer.optimizer().load_state(tensors, step, (folder / kTensorsFile).string());
  const auto generator = tensors.find(kGenerator);
  if (generator == tensors.end()) throw Error((folder / kTensorsFile).string(), "generator: is missing");
  at::Generator dropout = at::globalContext().defaultGenerator(trainer.model()->device());
  dropout.set_state(generator->second.clone());
}

}  // namespace bench::harness
