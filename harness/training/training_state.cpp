#include "harness/training/training_state.h"

#include "harness/checkpoints/checkpoints.h"
#include "harness/core/files.h"
#include "harness/training/finite.h"

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

constexpr const char* kStateFile = "training_state.json";
constexpr const char* kTensorsFile = "training_state.safetensors";

std::int64_t count_or(const Json& json, const char* key, std::int64_t otherwise) {
  return json.contains(key) ? whole_number(json.at(key)) : otherwise;
}

TrainingState state_in(const Json& json) {
  TrainingState state;
  state.step = whole_number(json.at("step"));
  // An older state lacks these keys. The older program skipped no step, and each step was an update.
  state.updates = count_or(json, "updates", state.step);
  state.skipped = {count_or(json, "skipped_steps", 0), count_or(json, "skipped_in_a_row", 0)};
  if (json.contains("loss_scale")) state.loss_scale = json["loss_scale"].get<double>();
  state.loss_scale_good_steps = count_or(json, "loss_scale_good_steps", 0);
  state.config = json.value("config", Json::object());
  return state;
}

}  // namespace

TrainingState read_training_state(const fs::path& checkpoint) {
  const fs::path file = checkpoint / kStateFile;
  if (!fs::exists(file))
    throw Error(checkpoint.string(), "holds no optimizer state to resume from", "checkpoints of bench train do");
  try {
    const TrainingState state = state_in(parse_json(read_file(file), file.string()));
    if (state.step >= 0) return state;
  } catch (const Json::exception&) {  // a key that is missing or of another type
    throw Error(file.string(), "is not a training state");
  }
  throw Error(file.string(), "is not a training state: its step is negative");
}

void save_training_checkpoint(Trainer& trainer, const fs::path& folder, const Tokenizer* tokenizer,
                              const Json& effective_config) {
  write_checkpoint(trainer.model(), folder, torch::kFloat32, tokenizer, [&](const fs::path& temporary) {
    model::write_safetensors(temporary / kTensorsFile, trainer.optimizer().state());
    const Json state = {{"step", trainer.steps_done()},
                        {"updates", trainer.optimizer().updates()},
                        {"skipped_steps", trainer.skipped().total},
                        {"skipped_in_a_row", trainer.skipped().in_a_row},
                        {"loss_scale", trainer.loss_scaler().scale()},
                        {"loss_scale_good_steps", trainer.loss_scaler().good_steps()},
                        {"config", effective_config}};
    write_file_atomically(temporary / kStateFile, dumped(state, 2) + "\n");
  });
}

void check_training_tensors(const fs::path& folder, const model::LanguageModel& model) {
  const std::string where = (folder / kTensorsFile).string();
  const model::NamedTensors state = model::read_safetensors(where);
  AdamW::check_state(state, *model, where);
  if (const auto name = first_not_finite(*model)) throw Error(folder.string(), *name + ": is not finite");
  if (const auto name = first_not_finite(state)) throw Error(where, *name + ": is not finite");
}

void load_training_state(Trainer& trainer, const fs::path& folder) {
  const TrainingState state = read_training_state(folder);
  const std::string where = (folder / kTensorsFile).string();
  const model::NamedTensors tensors = model::read_safetensors(where);
  trainer.optimizer().load_state(tensors, state.updates, where);
  trainer.skipped() = state.skipped;
  trainer.loss_scaler().restore(state.loss_scale.value_or(trainer.loss_scaler().scale()), state.loss_scale_good_steps);
}

}  // namespace bench::harness
