#include "harness/training/train.h"

#include "harness/checkpoints.h"
#include "harness/core/clock.h"
#include "harness/core/hash.h"
#include "harness/core/progress.h"
#include "harness/measure.h"
#include "harness/perplexity.h"
#include "model/checkpoint.h"

#include <atomic>
#include <csignal>
#include <numeric>

namespace bench::harness {
namespace {

std::atomic<bool> interrupted = false;

/// While it lives, what asks a program to end (Ctrl-C, kill, a closed terminal) sets `interrupted` instead of ending
/// it; the same a second time ends it.
class InterruptGuard {
 public:
  InterruptGuard() {
    interrupted = false;
    for (std::size_t i = 0; i < std::size(kSignals); ++i) before_[i] = std::signal(kSignals[i], interrupt);
    if (before_[kHangUp] == SIG_IGN) std::signal(SIGHUP, SIG_IGN);  // nohup asks to go on
  }
  ~InterruptGuard() {
    for (std::size_t i = 0; i < std::size(kSignals); ++i) std::signal(kSignals[i], before_[i]);
  }
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
  static constexpr std::size_t kHangUp = 2;
  static void interrupt(int signal) {
    interrupted = true;
    std::signal(signal, SIG_DFL);
  }

  void (*before_[std::size(kSignals)])(int);
};

double validate(model::LanguageModel& model, const TokenStream& valid, std::int64_t context) {
  return measure_perplexity(model, valid, {.protocol = "disjoint", .context = context}).perplexity();
}

/// What the run reads, by content: another text at the same path would make it another run.
Json inputs_of(const TrainingData& data) {
  const Tokenizer* tokenizer = data.tokenizer.get();
  return {
      {"text", data.train.source},
      {"tokenizer",
       tokenizer ? fmt::format("{} (xxh128 {})", tokenizer->path().string(), xxh128(tokenizer->content())) : "none"}};
}

std::string describe(const Execution& execution, const TrainingConfig& config, std::int64_t micro_steps) {
  return fmt::format("{} micro-batches of {} x {} tokens a step, {} computing, checkpointing {}", micro_steps,
                     execution.micro_batch_size, config.train.max_seq_length, dtype_text(execution.compute),
                     execution.gradient_checkpointing ? "on" : "off");
}

/// A run from its first step to its last.
class Run {
 public:
  Run(const model::ModelConfig& model_config, const TrainingConfig& config, const TrainingData& data,
      const Device& device, const TrainOptions& options)
      : config_(config),
        data_(data),
        device_(device),
        options_(options),
        effective_({{"model", to_json(model_config)}, {"training", to_json(config)}, {"inputs", inputs_of(data)}}),
        directory_(config.train.output_dir),
        execution_(options.execution ? *options.execution : execution_for(config, device, 0, "micro_batch_size")),
        from_(options.resume ? directory_.latest() : std::nullopt),
        first_step_(from_ ? checkpoint_step(*from_) : 0),
        last_step_(options.max_steps > 0 ? std::min(options.max_steps, config.train.max_steps)
                                         : config.train.max_steps),
        batches_(data.train, execution_.micro_batch_size, config.train.max_seq_length, seed()),
        trainer_(first_model(model_config), config, execution_, device, batches_, first_step_) {
    if (from_) load_training_state(trainer_, *from_);
  }

  TrainSummary go() {
    options_.resume ? directory_.rewind(first_step_) : directory_.begin(options_.overwrite);
    directory_.write_wandb(config_.wandb, effective_);
    const InterruptGuard guard;
    train();
    save(directory_.final_checkpoint());
    const double perplexity = log_validation();
    return {trainer_.steps_done(), perplexity, directory_.final_checkpoint(),
            describe(execution_, config_, trainer_.micro_steps_per_step())};
  }

 private:
  std::uint64_t seed() const { return static_cast<std::uint64_t>(config_.seed); }

  /// Random weights, or those of the checkpoint that the run goes on from.
  model::LanguageModel first_model(const model::ModelConfig& model_config) const {
    if (options_.resume && !from_)
      throw Error(config_.train.output_dir, "has no checkpoint to resume from", "start the run without --resume");
    torch::manual_seed(seed());
    model::LanguageModel model = new_model(model_config, torch::kFloat32, device_, seed());
    if (from_) {
      verify_checkpoint(*from_);
      check_same_run(*from_, effective_);
      model::load_weights(model, *from_);
    }
    return model;
  }

  void train() {
    Progress progress("train", last_step_ - first_step_, "steps", options_.quiet);
    const double begin = now_s();
    const auto time_is_up = [&] { return options_.budget_s && now_s() - begin >= *options_.budget_s; };
    while (trainer_.steps_done() < last_step_ && !interrupted &&
           !(trainer_.steps_done() > first_step_ && time_is_up())) {
      const double loss = step();
      progress.update(trainer_.steps_done() - first_step_, fmt::format("loss {:.3f}", loss));
    }
  }

  /// One optimizer step and what is due after it.
  double step() {
    std::vector<double> micro_s;
    for (std::int64_t i = 0; i < trainer_.micro_steps_per_step(); ++i)
      micro_s.push_back(time_once(device_, [&] { trainer_.micro_step(); }));
    StepResult result;
    const double update_s = time_once(device_, [&] { result = trainer_.update(); });
    if (options_.on_step) options_.on_step(result, micro_s, update_s);
    const std::int64_t done = trainer_.steps_done();
    const auto due = [&](std::int64_t every) { return done % every == 0; };
    if (due(config_.train.logging_steps) || done == last_step_)
      log_step(result, std::accumulate(micro_s.begin(), micro_s.end(), update_s));
    if (done == last_step_) return result.loss;  // go() saves and validates then
    if (due(config_.train.save_steps))
      save(directory_.step_checkpoint(done));  // before the validation, which takes its time
    if (due(config_.train.eval_steps)) log_validation();
    return result.loss;
  }

  void log_step(const StepResult& result, double step_s) const {
    directory_.log({{"step", trainer_.steps_done()},
                    {"loss", result.loss},
                    {"learning_rate", result.learning_rate},
                    {"grad_norm", result.grad_norm},
                    {"skipped_steps", trainer_.steps_skipped()},
                    {"tokens_per_s", static_cast<double>(config_.tokens_per_step()) / step_s},
                    {"tokens", trainer_.steps_done() * config_.tokens_per_step()}});
  }

  double log_validation() {
    const double perplexity = validate(trainer_.model(), data_.valid, config_.train.max_seq_length);
    directory_.log({{"step", trainer_.steps_done()}, {"valid_perplexity", perplexity}});
    return perplexity;
  }

  void save(const std::filesystem::path& checkpoint) {
    save_training_checkpoint(trainer_, checkpoint, data_.tokenizer.get(), effective_);
  }

  const TrainingConfig& config_;
  const TrainingData& data_;
  const Device& device_;
  const TrainOptions& options_;
  Json effective_;
  RunDirectory directory_;
  Execution execution_;
  std::optional<std::filesystem::path> from_;  // the checkpoint that the run goes on from
  std::int64_t first_step_, last_step_;
  Batches batches_;
  Trainer trainer_;
};

}  // namespace

TrainSummary train(const model::ModelConfig& model_config, const TrainingConfig& config, const TrainingData& data,
                   const Device& device, const TrainOptions& options) {
  if (config.train.max_seq_length > model_config.max_seq_length)
    throw Error("train.max_seq_length",
                fmt::format("{} exceeds the model's {}", config.train.max_seq_length, model_config.max_seq_length));
  return Run(model_config, config, data, device, options).go();
}

}  // namespace bench::harness
