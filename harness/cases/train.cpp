#include "harness/cases/train.h"

#include "harness/cases/model_source.h"
#include "harness/checkpoints/checkpoints.h"
#include "harness/core/clock.h"
#include "harness/core/process.h"
#include "harness/core/progress.h"
#include "harness/core/stats.h"
#include "harness/host/environment.h"
#include "harness/training/memory_estimate.h"
#include "harness/training/out_of_memory.h"
#include "harness/training/train.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <utility>

namespace bench::harness {
namespace {

/// The training config as this case runs it, with its choices put in.
TrainingConfig effective_training(const TrainCaseConfig& config, Record& record) {
  TrainingConfig training = config.training.value;
  if (config.gradient_checkpointing) training.train.gradient_checkpointing = *config.gradient_checkpointing;
  if (config.compile_model) training.train.compile_model = *config.compile_model;
  const bool have_text =
      std::filesystem::exists(training.data.train_path) && std::filesystem::exists(training.data.valid_path);
  if (config.tokens == kSynthetic || (config.tokens == "text_or_synthetic" && !have_text))
    training.data.train_path = training.data.valid_path = kSynthetic;
  if (config.tokens == "text_or_synthetic" && !have_text)
    record.notes["data_fallback"] =
        fmt::format("{} is not there, so the synthetic language is used; scripts/corpus builds it",
                    config.training.value.data.train_path);
  return training;
}

void train_tokenizer_for(const TrainingConfig& training, const model::ModelConfig& model) {
  print_status(fmt::format("training a tokenizer of {} pieces on {}", model.vocab_size, training.data.train_path));
  // The tokenizer is trained in a process of its own: the memory that SentencePiece needs is no part of this case's
  // peak.
  const ProcessResult result =
      run_process({own_executable().string(), "tokenizer", "train", "--text", training.data.train_path, "--out",
                   training.data.tokenizer_model, "--vocab-size", std::to_string(model.vocab_size)},
                  /*timeout_s=*/3600);
  if (result.exit_code != 0 || result.signal != 0)
    throw Error::at_run_time(training.data.train_path, "no tokenizer could be trained on it (see above)");
}

void note_skipped(Record& record, const StepResult& result) {
  if (result.skipped) record.notes["skipped_steps"] = fmt::format("{:.0f}", ++record.facts[facts::kSkippedSteps]);
}

void add_losses(Record& record, const StepResult& result) {
  record.add(series::kLoss, "nats", result.loss);
  record.add(series::kGradNorm, "1", result.grad_norm);
}

/// Notes how many steps were made if not all were. Results that depend on the missing steps aren't known.
void note_steps_cut(std::int64_t done, std::int64_t due, double seconds, bool speed_known, Record& record) {
  if (done >= due) return;
  record.notes[kStepsCutNote] =
      fmt::format("{} of {} steps in {:.0f} s{}", done, due, seconds,
                  speed_known ? ": their speed was known by then (all_steps: true makes them all)" : "");
}

/// Steps without a run directory: for speed and memory. The first micro-batch is the cold one. Sets `begun` when a step
/// was made.
void run_steps(const TrainCaseConfig& config, const TrainingConfig& training, const TrainingData& data,
               const Execution& execution, const Context& context, Record& record, bool& begun) {
  const auto seed = static_cast<std::uint64_t>(training.seed);
  const Batches batches(data.train, execution.micro_batch_size, training.train.max_seq_length, seed);
  Trainer trainer(new_model(config.model.value, torch::kFloat32, context.device, seed), training, execution,
                  context.device, batches);
  const std::int64_t micro_steps = trainer.micro_steps_per_step();
  Progress progress(context.case_name, config.steps * micro_steps, "micro-batches");
  std::int64_t done = 0;  // micro-batches
  const auto update = [&](Record& into) {
    StepResult result;
    into.add(series::kUpdateTimeS, "s", time_once(context.device, [&] { result = trainer.update(); }));
    begun = true;
    return result;
  };
  const auto micro_step = [&](Record& into) {
    const auto pass = [&] { trainer.micro_step(); };
    into.add(series::kMicroStepTimeS, "s",
             time_once(context.device, [&] { done == 0 ? count_launches(context.device, pass, record) : pass(); }));
    progress.update(++done);
    if (done % micro_steps == 0) {
      const StepResult result = update(into);
      note_skipped(record, result);  // of the first piece only the samples are kept
      add_losses(into, result);
    }
    return done < config.steps * micro_steps;
  };
  MeasureOptions measuring = context.measuring;
  if (config.all_steps) measuring.end_s = std::numeric_limits<double>::infinity();
  const double begin_s = now_s();
  bool speed_known = false;
  measuring.enough = [&](const Record& so_far) {
    if (config.all_steps) return false;
    if (!so_far.samples(series::kUpdateTimeS).empty()) return speed_known = context.measuring.enough(so_far);
    // Before the first update a step's time isn't known. If there is no time for an update, the step's time will be
    // composed of parts; what can be known by now is the time of its micro-batches.
    const double rest_s =
        static_cast<double>(micro_steps - done % micro_steps) * mean(so_far.counted(series::kMicroStepTimeS)).value;
    if (now_s() + rest_s < context.measuring.end_s) return false;
    Record composed = so_far;
    composed.add(series::kUpdateTimeS, "s", 0);
    return speed_known = context.measuring.enough(composed);
  };
  measure_in_blocks(context.device, execution.compute, measuring, micro_step, record);
  note_steps_cut(done / micro_steps, config.steps, now_s() - begin_s, speed_known, record);
  if (done % micro_steps == 0) return;
  record.notes["partial_step"] = fmt::format(
      "{} of the {}step's {} micro-batches were timed and one update; the step's time is composed from them",
      done % micro_steps, done < micro_steps ? "" : "last ", micro_steps);
  // The loss of this update is the mean over as many micro-batches as there was time for, which is another number on
  // another day.
  if (record.samples(series::kUpdateTimeS).empty()) note_skipped(record, update(record));
}

/// The same, with a smaller micro-batch where memory runs out before the first step.
FittedExecution run_fitting_steps(const TrainCaseConfig& config, const TrainingConfig& training,
                                  const TrainingData& data, const Execution& execution, const Context& context,
                                  Record& record) {
  const Record before = record;
  return train_within_memory(execution, training.train, context.device, [&](const Execution& tried, bool& begun) {
    record = before;  // without what a try that failed has left
    run_steps(config, training, data, tried, context, record, begun);
  });
}

/// In a run that had no other micro-batch, counts the cold one as a warm one, also in its block.
void count_cold_micro_step(Record& record) {
  if (!record.samples(series::kMicroStepTimeS).empty()) return;
  const auto rename = [](auto& by_name) {
    if (auto cold = by_name.extract(series::cold(series::kMicroStepTimeS))) {
      cold.key() = series::kMicroStepTimeS;
      by_name.insert(std::move(cold));
    }
  };
  rename(record.series);
  for (auto& block : record.blocks) rename(block.samples);
}

/// A whole run, with logs and checkpoints.
FittedExecution run_training(const TrainCaseConfig& config, const TrainingConfig& training, const TrainingData& data,
                             const Execution& execution, const Context& context, Record& record) {
  MeasureOptions measuring = context.measuring;
  measuring.block_s = 2;  // the probe beside each block is no part of the run's time, but of the budget
  Blocks blocks(context.device, execution.compute, measuring, record);
  blocks.begin();
  TrainOptions options{.max_steps = config.steps, .execution = execution, .overwrite = true};
  const double begin_s = now_s();
  if (!config.all_steps) options.budget_s = context.measuring.end_s - begin_s;
  double trained_s = 0;
  bool cold = true;
  options.on_step = [&](const StepResult& result, const std::vector<double>& micro_s, double update_s) {
    for (const double s : micro_s) {
      record.add(cold ? series::cold(series::kMicroStepTimeS) : series::kMicroStepTimeS, "s", s);
      cold = false;
    }
    record.add(series::kUpdateTimeS, "s", update_s);
    note_skipped(record, result);
    add_losses(record, result);
    trained_s = now_s() - begin_s;
    if (blocks.elapsed_s() < measuring.block_s) return;
    blocks.end();
    blocks.begin();
  };
  const TrainSummary summary = train(config.model.value, training, data, context.device, options);
  record.notes["checkpoint"] = summary.checkpoint.string();
  note_steps_cut(summary.steps, std::min(config.steps, training.train.max_steps), trained_s, /*speed_known=*/false,
                 record);
  blocks.end();
  blocks.finish();
  count_cold_micro_step(record);
  return summary.fitted;
}

void record_execution(const TrainCaseConfig& config, const TrainingConfig& training, const Execution& execution,
                      Record& record) {
  const model::ModelConfig& model = config.model.value;
  record.notes["dtype"] = dtype_text(execution.compute);
  if (training.train.mixed_precision && execution.compute == torch::kFloat32)
    record.notes["mixed_precision"] =
        "computed in fp32: this processor has no bf16 matrix instructions, bf16 products would be slower";
  record.notes["execution"] =
      fmt::format("effective batch {} x {} as micro-batches of {}, checkpointing {}, {} operators",
                  training.train.effective_batch_size, training.train.max_seq_length, execution.micro_batch_size,
                  execution.gradient_checkpointing ? "on" : "off", execution.fused ? "fused" : "plain");
  record.facts[facts::kParameters] = static_cast<double>(parameter_count(model));
  record.facts[facts::kParametersWithoutEmbedding] = static_cast<double>(parameter_count_without_embedding(model));
  record.facts[facts::kTokensPerStep] = static_cast<double>(training.tokens_per_step());
  record.facts[facts::kMaxSteps] = static_cast<double>(training.train.max_steps);
  record.facts[facts::kMicroStepsPerStep] =
      static_cast<double>(training.train.effective_batch_size / execution.micro_batch_size);
  record.facts[facts::kFlopsPerToken] = training_flops_per_token(model, training.train.max_seq_length);
  // Each micro-batch reads every weight forward and backward, and writes or adds up its gradient.
  const double micro_steps = record.facts[facts::kMicroStepsPerStep];
  record_work(
      {record.facts[facts::kFlopsPerToken] * record.facts[facts::kTokensPerStep],
       micro_steps * 4 * record.facts[facts::kParameters] * static_cast<double>(c10::elementSize(execution.compute))},
      record);
}

/// Records the execution that fitted, if it isn't the one that was recorded.
void record_fitted(const TrainCaseConfig& config, const TrainingConfig& training, const FittedExecution& fitted,
                   Record& record) {
  if (fitted.note.empty()) return;
  record.notes[kOutOfMemoryNote] = fitted.note + "; the peak memory is that of all tries";
  record_execution(config, training, fitted.execution, record);
  // What was predicted was the need of the first try, and the peak is that of all.
  record.facts.erase(facts::kPredictedMemoryBytes);
  record.notes.erase("memory_estimate");
}

}  // namespace

void TrainCaseConfig::validate(const Require& require) const {
  require(model.given, "model", "is missing", "a model config, such as configs/model_medium.yaml");
  require(training.given, "training", "is missing", "a training config, such as configs/training_m4max.yaml");
  require(steps > 0, "steps", "must be positive", "");
  require_sizes(require, {{"steps", steps}});
  const std::int64_t size = micro_batch_size.count;
  require(size >= 0, "micro_batch_size", "must not be negative", "");
  require(memory_budget_gb >= 0, "memory_budget_gb", "must not be negative", "");
  require(memory_budget_gb == 0 || micro_batch_size.automatic, "memory_budget_gb", "is for micro_batch_size: auto", "");
  require(size == 0 || training.value.train.effective_batch_size % size == 0, "micro_batch_size",
          fmt::format("{} does not divide the effective batch of {}", size, training.value.train.effective_batch_size),
          "");
  require(training.value.train.max_seq_length <= model.value.max_seq_length, "training.train.max_seq_length",
          fmt::format("{} exceeds the model's max_seq_length {}", training.value.train.max_seq_length,
                      model.value.max_seq_length),
          "");
}

void run_train(const TrainCaseConfig& config, Context& context, Record& record) {
  const TrainingConfig training = effective_training(config, record);
  const model::ModelConfig& model = config.model.value;
  const MicroBatch micro_batch{config.micro_batch_size, config.memory_budget_gb * 1e9};
  const Execution execution = choose_execution(model, training, micro_batch, context.device, "micro_batch_size");
  // This comes before the speed probe, whose memory would count as the program's own.
  const std::int64_t seq_length = training.train.max_seq_length;
  const MemoryEstimate needed = estimate_training_memory(model, execution, seq_length, &context.device);
  const auto why_not = why_training_does_not_fit(model, execution, seq_length, context.device);
  record.notes["memory_estimate"] = needed.text();
  print_status(fmt::format("{}: {} predicted", context.case_name, needed.text()));
  if (needed.program_missing.empty()) record.facts[facts::kPredictedMemoryBytes] = needed.total();
  record_execution(config, training, execution, record);
  record.facts[facts::kMatmulFlopsPerS] = probe_speed(context.device, execution.compute).matmul_flops_per_s;
  if (why_not) {
    record.facts[facts::kNeededMemoryBytes] = needed.least_total();
    record.notes["did_not_fit"] = fmt::format(
        "{}: not run; a smaller micro_batch_size (auto finds one) or gradient_checkpointing may fit", *why_not);
    return;
  }
  if (const auto unknown = why_fit_is_unknown(context.device)) record.notes["fit_unknown"] = *unknown;
  if (config.train_tokenizer && training.data.train_path != kSynthetic) train_tokenizer_for(training, model);
  const TrainingData data =
      load_training_data(training.data, model, std::max<std::int64_t>(training.train.num_workers, 1));
  record.notes["data"] = data.train.source;
  if (!data.overlap.empty()) record.notes["trained_on_validation"] = data.overlap;
  for (const auto& file : {training.data.train_path, training.data.valid_path}) record_input(file, record);
  if (data.tokenizer) record_input(training.data.tokenizer_model, record);
  const auto run = config.keep_checkpoint ? run_training : run_fitting_steps;
  record_fitted(config, training, run(config, training, data, execution, context, record), record);
  if (const std::string heat = record.ran_hot(); !heat.empty()) record.notes[kHeatNote] = heat;
  record_peak_memory(context.device, record);
}

}  // namespace bench::harness
