#include "harness/training/run_directory.h"

#include "harness/checkpoints.h"
#include "harness/core/files.h"

#include <sstream>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

constexpr const char* kStateFile = "training_state.json";
constexpr const char* kTensorsFile = "training_state.safetensors";
constexpr const char* kGenerator = "generator";

Json read_state(const fs::path& folder) {
  const fs::path file = folder / kStateFile;
  if (!fs::exists(file))
    throw Error(folder.string(), "holds no optimizer state to resume from", "checkpoints of bench train do");
  const Json state = Json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
  if (!state.is_object() || !state.contains("step") || !state["step"].is_number_integer())
    throw Error(file.string(), "is not a training state",
                "remove its folder to go on from an older checkpoint, or start over with --overwrite");
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

void RunDirectory::check_holds_no_run() const {
  const auto checkpoint = latest();
  if (!checkpoint && !fs::exists(final_checkpoint())) return;
  throw Error(path_.string(),
              checkpoint ? fmt::format("already holds a run of {} steps", checkpoint_step(*checkpoint))
                         : "already holds a checkpoint",
              "--resume goes on with it, --overwrite replaces it, --set train.output_dir=DIR leaves it alone");
}

void RunDirectory::begin(bool overwrite) const {
  if (!overwrite) check_holds_no_run();
  make_folder(path_);
  std::vector<fs::path> old;
  for (const auto& entry : fs::directory_iterator(path_)) {
    const std::string name = entry.path().filename().string();
    if (name == "final" || matches_glob(name, "step-*") || name == "metrics.jsonl" || matches_glob(name, "wandb*.json"))
      old.push_back(entry.path());
  }
  for (const auto& path : old) fs::remove_all(path);
}

void RunDirectory::rewind(std::int64_t step) const {
  const fs::path file = path_ / "metrics.jsonl";
  if (!fs::exists(file)) return;
  std::istringstream lines(read_file(file));
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (json.is_object() && json.value("step", std::int64_t{0}) <= step) kept += line + "\n";
  }
  write_file_atomically(file, kept);
}

void RunDirectory::log(const Json& line) const {
  std::ofstream out(path_ / "metrics.jsonl", std::ios::app);
  out << line.dump() << "\n";
  out.close();
  if (!out) throw Error::at_run_time((path_ / "metrics.jsonl").string(), "cannot be written", "is the disk full?");
}

void RunDirectory::write_wandb(const WandbConfig& config, const Json& effective_config) const {
  if (!config.enabled) return;
  const Json json = {
      {"project", config.project}, {"name", config.name}, {"tags", config.tags}, {"config", effective_config}};
  write_file_atomically(path_ / "wandb.json", json.dump(2) + "\n");
}

void save_training_checkpoint(Trainer& trainer, const fs::path& folder, const Tokenizer* tokenizer,
                              const Json& effective_config) {
  write_checkpoint(trainer.model(), folder, torch::kFloat32, tokenizer, [&](const fs::path& temporary) {
    model::NamedTensors tensors = trainer.optimizer().state();
    tensors[kGenerator] = at::globalContext().defaultGenerator(trainer.model()->device()).get_state();
    model::write_safetensors(temporary / kTensorsFile, tensors);
    write_file_atomically(temporary / kStateFile, Json{{"step", trainer.steps_done()},
                                                       {"updates", trainer.optimizer().updates()},
                                                       {"skipped_steps", trainer.skipped().total},
                                                       {"skipped_in_a_row", trainer.skipped().in_a_row},
                                                       {"loss_scale", trainer.loss_scaler().scale()},
                                                       {"loss_scale_good_steps", trainer.loss_scaler().good_steps()},
                                                       {"device", trainer.model()->device().str()},
                                                       {"config", effective_config}}
                                                          .dump(2) +
                                                      "\n");
  });
}

std::int64_t checkpoint_step(const fs::path& folder) { return read_state(folder)["step"].get<std::int64_t>(); }

void check_same_run(const fs::path& folder, const Json& effective_config) {
  const Json saved = read_state(folder).value("config", Json::object());
  for (const char* key : {"/model", "/training/seed", "/training/data", "/training/train/effective_batch_size",
                          "/training/train/max_seq_length"}) {
    const Json::json_pointer pointer(key);
    if (!saved.contains(pointer) || saved[pointer] != effective_config[pointer])
      throw Error(folder.string(), fmt::format("the run had another {}", std::string(key).substr(1)),
                  "resume with the configs that the run began with");
  }
  for (const char* key : {"/inputs/text", "/inputs/tokenizer"}) {
    const Json::json_pointer pointer(key);
    if (!saved.contains(pointer) || saved[pointer] == effective_config[pointer]) continue;  // older states lack them
    throw Error(folder.string(),
                fmt::format("the run had another {}: {}, now {}", std::string(key).substr(8),
                            saved[pointer].get<std::string>(), effective_config[pointer].get<std::string>()),
                "put back the files that the run began with, or start over with --overwrite");
  }
}

void load_training_state(Trainer& trainer, const fs::path& folder) {
  const Json state = read_state(folder);
  const std::string device = state.value("device", "");
  if (device != trainer.model()->device().str())
    throw Error(folder.string(), fmt::format("the run was on {}, this is {}", device, trainer.model()->device().str()),
                "the state of its random numbers can't move between devices");
  const model::NamedTensors tensors = model::read_safetensors(folder / kTensorsFile);
  // What an older state doesn't say it took to be so: no step skipped, each an update.
  const std::int64_t updates = state.value("updates", state["step"].get<std::int64_t>());
  trainer.optimizer().load_state(tensors, updates, (folder / kTensorsFile).string());
  trainer.skipped() = {state.value("skipped_steps", std::int64_t{0}), state.value("skipped_in_a_row", std::int64_t{0})};
  trainer.loss_scaler().restore(state.value("loss_scale", trainer.loss_scaler().scale()),
                                state.value("loss_scale_good_steps", std::int64_t{0}));
  const auto generator = tensors.find(kGenerator);
  if (generator == tensors.end()) throw Error((folder / kTensorsFile).string(), "generator: is missing");
  at::Generator dropout = at::globalContext().defaultGenerator(trainer.model()->device());
  dropout.set_state(generator->second.clone());
}

}  // namespace bench::harness
