#include "harness/training/train.h"

#include "harness/checkpoints.h"
#include "harness/core/clock.h"
#include "harness/core/progress.h"
#include "harness/measure.h"
#include "harness/perplexity.h"
#include "model/checkpoint.h"

#include <atomic>
#include <csignal>

namespace bench::harness {
namespace {

std::atomic<bool> interrupted = false;

/// While it lives, SIGINT sets `interrupted` instead of ending the program; a second one ends it.
class InterruptGuard {
 public:
  InterruptGuard()
      : before_(std::signal(SIGINT, [](int) {
          interrupted = true;
          std::signal(SIGINT, SIG_DFL);
        })) {
    interrupted = false;
  }
  ~InterruptGuard() { std::signal(SIGINT, before_); }
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  void (*before_)(int);
};

double validate(model::LanguageModel& model, const TokenStream& valid, std::int64_t context) {
  return measure_perplexity(model, valid, {.protocol = "disjoint", .context = context}).perplexity();
}

std::string describe(const Execution& execution, const TrainingConfig& config, std::int64_t micro_steps) {
  return fmt::format("{} micro-batches of {} x {} tokens a step, {} computing, checkpointing {}", micro_steps,
                     execution.micro_batch_size, config.train.max_seq_length, dtype_text(execution.compute),
                     execution.gradient_checkpointing ? "on" : "off");
}

}  // namespace

TrainSummary train(const model::ModelConfig& model_config, const TrainingConfig& config, const TrainingData& data,
                   const Device& device, const TrainOptions& options) {
  if (config.train.max_seq_length > model_config.max_seq_length)
    throw Error("train.max_seq_length",
                fmt::format("{} exceeds the model's {}", config.train.max_seq_length, model_config.max_seq_length));
  const auto seed = static_cast<std::uint64_t>(config.seed);
  torch::manual_seed(seed);
  const RunDirectory run(config.train.output_dir);
  const Execution execution = execution_for(config, device, options.micro_batch_size, "micro_batch_size");
  model::LanguageModel model = new_model(model_config, torch::kFloat32, device, seed);
  std::int64_t first_step = 0;
  const auto from = options.resume ? run.latest() : std::nullopt;
  if (options.resume && !from)
    throw Error(run.path().string(), "has no checkpoint to resume from", "start the run without --resume");
  if (from) {
    verify_checkpoint(*from);
    first_step = checkpoint_step(*from);
    model::load_weights(model, *from);
  }
  const Batches batches(data.train, execution.micro_batch_size, config.train.max_seq_length, seed);
  Trainer trainer(model, config, execution, device, batches, first_step);
  if (from) load_training_state(trainer, *from);

  const Json effective = {{"model", to_json(model_config)}, {"training", to_json(config)}};
  if (from) check_same_run(*from, effective);
  const std::int64_t last_step =
      options.max_steps > 0 ? std::min(options.max_steps, config.train.max_steps) : config.train.max_steps;
  const std::int64_t tokens_per_step = config.tokens_per_step();
  TrainSummary summary{first_step, std::nan(""), run.final_checkpoint(),
                       describe(execution, config, trainer.micro_steps_per_step())};
  const auto log_validation = [&] {
    summary.valid_perplexity = validate(model, data.valid, config.train.max_seq_length);
    run.log({{"step", trainer.steps_done()}, {"valid_perplexity", summary.valid_perplexity}});
  };
  const auto time_left = [&](double begin_s) { return !options.budget_s || now_s() - begin_s < *options.budget_s; };
  options.resume ? run.rewind(first_step) : run.begin(options.overwrite);
  run.write_wandb(config.wandb, effective);
  const InterruptGuard guard;
  const double begin = now_s();
  {
    Progress progress("train", last_step - first_step, "steps", options.quiet);
    while (trainer.steps_done() < last_step && !interrupted &&
           (trainer.steps_done() == first_step || time_left(begin))) {
      std::vector<double> micro_s;
      for (std::int64_t i = 0; i < trainer.micro_steps_per_step(); ++i)
        micro_s.push_back(time_once(device, [&] { trainer.micro_step(); }));
      StepResult result;
      const double update_s = time_once(device, [&] { result = trainer.update(); });
      const std::int64_t step = trainer.steps_done();
      if (options.on_step) options.on_step(result, micro_s, update_s);
      double step_s = update_s;
      for (const double s : micro_s) step_s += s;
      if (step % config.train.logging_steps == 0 || step == last_step)
        run.log({{"step", step},
                 {"loss", result.loss},
                 {"learning_rate", result.learning_rate},
                 {"grad_norm", result.grad_norm},
                 {"tokens_per_s", static_cast<double>(tokens_per_step) / step_s},
                 {"tokens", step * tokens_per_step}});
      if (step % config.train.save_steps == 0 && step < last_step)  // before the validation, which takes its time
        save_training_checkpoint(trainer, run.step_checkpoint(step), data.tokenizer.get(), effective);
      if (step % config.train.eval_steps == 0 && step < last_step) log_validation();
      progress.update(step - first_step, fmt::format("loss {:.3f}", result.loss));
    }
  }
  summary.steps = trainer.steps_done();
  save_training_checkpoint(trainer, run.final_checkpoint(), data.tokenizer.get(), effective);
  log_validation();
  return summary;
}

}  // namespace bench::harness
