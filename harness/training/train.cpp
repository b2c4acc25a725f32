#include "harness/training/train.h"

#include "harness/checkpoints/checkpoints.h"
#include "harness/core/clock.h"
#include "harness/core/hash.h"
#include "harness/core/progress.h"
#include "harness/core/signals.h"
#include "harness/evaluation/perplexity.h"
#include "harness/measuring/measure.h"
#include "harness/training/attempt.h"
#include "harness/training/checkpoint_saver.h"
#include "harness/training/resume.h"

#include <numeric>

namespace bench::harness {
namespace {

double validate(model::LanguageModel& model, const TokenStream& valid, std::int64_t context) {
  return measure_perplexity(model, valid, {.protocol = "disjoint", .context = context}).perplexity();
}

/// What the run reads, identified by content, because another text at the same path would make it another run.
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

/// A run from its first step to its last. `options` must have an execution.
class Run {
 public:
  Run(const model::ModelConfig& model_config, const TrainingConfig& config, const TrainingData& data,
      const Device& device, TrainOptions& options)
      : config_(config),
        data_(data),
        device_(device),
        options_(options),
        effective_({{"model", to_json(model_config)}, {"training", to_json(config)}, {"inputs", inputs_of(data)}}),
        directory_(config.train.output_dir),
        lock_(lock()),
        execution_(with_execution(*options.execution)),
        model_(random_model(model_config)),
        from_(resume()),
        first_step_(from_ ? from_->step : 0),
        last_step_(options.max_steps > 0 ? std::min(options.max_steps, config.train.max_steps)
                                         : config.train.max_steps),
        batches_(data.train, execution_.micro_batch_size, config.train.max_seq_length, seed()),
        trainer_(model_, config, execution_, device, batches_, first_step_),
        saver_(
            directory_,
            [this](const std::filesystem::path& checkpoint) {
              save_training_checkpoint(trainer_, checkpoint, data_.tokenizer.get(), effective_);
            },
            options.save_pause_s) {
    if (from_) load_training_state(trainer_, from_->checkpoint);
  }

  TrainSummary go() {
    from_ ? directory_.rewind(first_step_) : directory_.begin(options_.overwrite);
    options_.overwrite = true;  // if this run must begin anew, it may replace what it has begun itself
    if (from_) saver_.has(from_->checkpoint, first_step_);
    directory_.write_wandb(config_.wandb, effective_);
    const InterruptGuard guard;
    train(guard);
    TrainSummary summary;
    summary.steps = trainer_.steps_done();
    summary.steps_due = std::max(last_step_, first_step_);
    summary.execution = describe(execution_, config_, trainer_.micro_steps_per_step());
    if (summary.steps < summary.steps_due) summary.signal = guard.signal();
    if (summary.signal == 0 || saver_.newest_step() != summary.steps)
      save_last(summary.signal ? directory_.step_checkpoint(summary.steps) : directory_.final_checkpoint());
    if (summary.signal == 0)
      summary.valid_perplexity = log_validation();
    else
      retire_final();
    summary.checkpoint = *saver_.newest();
    directory_.end_log();
    return summary;
  }

 private:
  /// Returns the same execution after noting it in the effective config.
  Execution with_execution(const Execution& execution) {
    effective_["execution"] = {{"micro_batch_size", execution.micro_batch_size},
                               {"gradient_checkpointing", execution.gradient_checkpointing},
                               {"compute", dtype_text(execution.compute)},
                               {"device", device_.name}};
    return execution;
  }

  std::uint64_t seed() const { return static_cast<std::uint64_t>(config_.seed); }

  FileLock lock() const {
    if (options_.resume && !std::filesystem::is_directory(directory_.path()))
      throw Error(config_.train.output_dir, "has no checkpoint to resume from", "start the run without --resume");
    return directory_.lock();
  }

  model::LanguageModel random_model(const model::ModelConfig& model_config) const {
    return new_model(model_config, torch::kFloat32, device_, seed());
  }

  /// Loads the weights of the checkpoint from which the run goes on. Returns nothing if the run begins from step 0.
  std::optional<ResumePoint> resume() {
    if (!options_.resume) return std::nullopt;
    ResumePoint point = load_newest_whole(directory_, effective_, options_.accept_changes, model_);
    for (const auto& reason : point.left_out) print_status("left out, since it is not whole: " + reason);
    if (!options_.quiet || !point.left_out.empty()) print_status("going on from " + point.checkpoint.string());
    for (const auto& change : point.changes) print_status("changed since: " + change);
    return point;
  }

  void train(const InterruptGuard& guard) {
    Progress progress("train", last_step_ - first_step_, "steps", options_.quiet);
    const double begin = now_s();
    const auto time_is_up = [&] { return options_.budget_s && now_s() - begin >= *options_.budget_s; };
    while (trainer_.steps_done() < last_step_ && guard.signal() == 0 &&
           !(trainer_.steps_done() > first_step_ && time_is_up())) {
      const double loss = step();
      progress.update(trainer_.steps_done() - first_step_, fmt::format("loss {:.3f}", loss));
    }
  }

  /// Makes one optimizer step, and does what is due after it.
  double step() {
    std::vector<double> micro_s;
    for (std::int64_t i = 0; i < trainer_.micro_steps_per_step(); ++i)
      micro_s.push_back(time_once(device_, [&] { trainer_.micro_step(); }));
    StepResult result;
    const double update_s = time_once(device_, [&] { result = update(); });
    if (options_.on_step) options_.on_step(result, micro_s, update_s);
    const std::int64_t done = trainer_.steps_done();
    const auto due = [&](std::int64_t every) { return done % every == 0; };
    if (due(config_.train.logging_steps) || done == last_step_)
      log_step(result, std::accumulate(micro_s.begin(), micro_s.end(), update_s));
    if (done == last_step_) return result.loss;                      // go() saves and validates after the last step
    if (due(config_.train.save_steps) || saver_.owed()) save(done);  // before the validation, which takes long
    if (due(config_.train.eval_steps)) log_validation();
    return result.loss;
  }

  StepResult update() {
    try {
      return trainer_.update();
    } catch (const Error& e) {
      throw Error::at_run_time(e.where(), e.message(), e.hint() + "; " + newest_checkpoint());
    }
  }

  void log_step(const StepResult& result, double step_s) {
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

  void save(std::int64_t step) {
    check_finite();
    saver_.save(step);
    if (!saver_.owed()) retire_final();
  }

  void retire_final() {
    const auto failed =
        why_failed([&] { saver_.has(directory_.retire_final(*saver_.newest()), saver_.newest_step()); });
    if (failed) print_status(*failed);
  }

  void save_last(const std::filesystem::path& checkpoint) {
    check_finite();
    saver_.save_last(checkpoint, trainer_.steps_done());
  }

  /// Throws Error if weights or moments aren't finite. They would stay so, and a checkpoint of them would pass for a
  /// good one.
  void check_finite() const {
    const auto spoilt = trainer_.first_not_finite();
    if (!spoilt) return;
    throw Error::at_run_time(fmt::format("step {}", trainer_.steps_done()),
                             fmt::format("no checkpoint is made of it: {} is not finite", *spoilt),
                             "lower learning_rate; " + newest_checkpoint());
  }

  /// Names the newest checkpoint, which is good: this run's own checkpoints were finite when they were written, and the
  /// one from which it goes on was finite when it was read.
  std::string newest_checkpoint() const {
    return saver_.newest() ? fmt::format("the last checkpoint is good: {}", saver_.newest()->string())
                           : "there is no checkpoint yet";
  }

  const TrainingConfig& config_;
  const TrainingData& data_;
  const Device& device_;
  TrainOptions& options_;
  Json effective_;
  RunDirectory directory_;
  FileLock lock_;
  Execution execution_;
  model::LanguageModel model_;
  std::optional<ResumePoint> from_;
  std::int64_t first_step_, last_step_;
  Batches batches_;
  Trainer trainer_;
  CheckpointSaver saver_;
};

}  // namespace

TrainSummary train(const model::ModelConfig& model_config, const TrainingConfig& config, const TrainingData& data,
                   const Device& device, const TrainOptions& options) {
  if (config.train.max_seq_length > model_config.max_seq_length)
    throw Error("train.max_seq_length",
                fmt::format("{} exceeds the model's {}", config.train.max_seq_length, model_config.max_seq_length));
  const Execution asked = options.execution ? *options.execution : execution_for(config, device, 0, "micro_batch_size");
  TrainSummary summary;
  TrainOptions how = options;
  const double begin_s = now_s();
  const FittedExecution fitted =
      train_within_memory(asked, config.train, device, [&](const Execution& execution, bool& begun) {
        how.execution = execution;
        if (options.budget_s) how.budget_s = *options.budget_s - (now_s() - begin_s);
        how.on_step = [&](const StepResult& result, const std::vector<double>& micro_s, double update_s) {
          begun = true;
          if (options.on_step) options.on_step(result, micro_s, update_s);
        };
        summary = Run(model_config, config, data, device, how).go();
      });
  summary.fitted = fitted;
  return summary;
}

}  // namespace bench::harness
