#include "harness/cases/memory.h"

#include "harness/checkpoints/checkpoints.h"
#include "harness/core/clock.h"
#include "harness/core/progress.h"
#include "harness/data/synthetic.h"
#include "harness/isolation/isolated.h"
#include "harness/training/memory_estimate.h"
#include "harness/training/trainer.h"
#include "model/checkpoint.h"

#include <algorithm>

namespace bench::harness {
namespace {

/// Adds to the record what each stage of a process's life costs.
class Stages {
 public:
  Stages(const Device& device, Record& record) : device_(device), record_(record) { add("program"); }
  /// Adds what the process has come to hold since the last stage. Once the system doesn't tell, nothing is added from
  /// that stage on.
  void add(const char* name) {
    const MemoryReading now = device_.current_bytes();
    known_ = known_ && now;
    if (known_) add(name, static_cast<double>(now.bytes) - held_);
  }
  void add(const char* name, double bytes) {
    record_.add(fmt::format("{}_bytes", name), "bytes", bytes);
    held_ += bytes;
  }
  /// Records what the process holds now, which is no part of the peak by itself.
  void note(const char* name) {
    if (const MemoryReading now = device_.current_bytes())
      record_.add(fmt::format("{}_bytes", name), "bytes", static_cast<double>(now.bytes));
  }
  void finish() {
    record_peak_memory(device_, record_);
    if (const auto& peaks = record_.samples(series::kPeakMemoryBytes); known_ && !peaks.empty())
      add("step", peaks.back() - held_);
  }

 private:
  const Device& device_;
  Record& record_;
  double held_ = 0;
  bool known_ = true;
};

void add_prediction(const MemoryEstimate& predicted, Record& record) {
  if (!predicted.program_missing.empty()) {  // a part of it is no prediction
    record.notes["prediction_unread"] = "what the program holds could not be read: " + predicted.program_missing;
    return;
  }
  record.add(series::kPredictedMemoryBytes, "bytes", predicted.total());
  predicted.components([&](const char* name, double bytes) {
    if (bytes > 0) record.add(fmt::format("predicted_{}_bytes", name), "bytes", bytes);
  });
  record.notes["predicted_peak"] = predicted.moment;
}

void did_not_fit(double needed_bytes, const std::string& why, Record& record) {
  record.facts[facts::kNeededMemoryBytes] = needed_bytes;
  record.notes["did_not_fit"] = why + ": not run";
}

double gradient_bytes(const model::LanguageModel& model) {
  double bytes = 0;
  for (const auto& parameter : model->parameters()) bytes += static_cast<double>(parameter.grad().nbytes());
  return bytes;
}

void note_unknown_fit(const Device& device, Record& record) {
  if (const auto unknown = why_fit_is_unknown(device)) record.notes["fit_unknown"] = *unknown;
}

void train_once(const MemoryConfig& config, std::int64_t seq_length, const Device& device, Record& record) {
  const model::ModelConfig& model_config = config.source.model->value;
  TrainingConfig training;
  training.train.batch_size = training.train.effective_batch_size = config.batch;
  training.train.gradient_accumulation_steps = 1;
  training.train.max_seq_length = seq_length;
  training.train.num_workers = 0;
  const Execution execution{config.batch, config.gradient_checkpointing, dtype_for(config.source, device),
                            config.compile_model};
  record.notes["dtype"] = dtype_text(execution.compute);
  const MemoryEstimate predicted = estimate_training_memory(model_config, execution, seq_length, &device);
  if (const auto why = why_training_does_not_fit(model_config, execution, seq_length, device))
    return did_not_fit(predicted.total(), *why, record);
  note_unknown_fit(device, record);
  const Batches batches(synthetic_tokens(model_config.vocab_size, config.batch * seq_length + 1, 0), config.batch,
                        seq_length, 0);
  Stages stages(device, record);
  model::LanguageModel model = new_model(model_config, torch::kFloat32, device, 0);
  stages.add("weights");
  Trainer trainer(model, training, execution, device, batches);
  stages.add("gradients", gradient_bytes(model));
  stages.add("optimizer");
  trainer.step();
  device.synchronize();
  stages.note("after_step");
  trainer.micro_step();  // over moments that have been written to
  device.synchronize();
  stages.finish();
  add_prediction(predicted, record);
}

void decode_once(const MemoryConfig& config, std::int64_t seq_length, const Device& device, Record& record) {
  const torch::NoGradGuard no_grad;
  const MemoryReading program = device.current_bytes();
  const DecodeShape shape{config.batch,
                          std::max<std::int64_t>(seq_length - 1, 1),
                          seq_length,
                          element_bytes(dtype_for(config.source, device)),
                          static_cast<double>(program.bytes),
                          program.missing};
  const MemoryEstimate predicted = estimate_decode_memory(
      config.source.model ? config.source.model->value : model::read_checkpoint_config(config.source.checkpoint),
      shape);
  if (const auto why = why_not_enough_memory(predicted, device)) return did_not_fit(predicted.total(), *why, record);
  note_unknown_fit(device, record);
  Stages stages(device, record);
  model::LanguageModel model = open_model(config.source, device, record);
  stages.add("weights");
  model::KvCache cache = model->make_cache(config.batch, seq_length);
  stages.add("kv_cache");
  const torch::Tensor ids =
      random_ids(config.batch, seq_length, model->config().vocab_size, config.source.seed).to(model->device());
  if (seq_length > 1) model->next_logits(ids.slice(1, 0, -1), cache);
  model->next_logits(ids.slice(1, -1), cache);
  device.synchronize();
  stages.note("after_step");
  stages.finish();
  add_prediction(predicted, record);
}

/// One length in a process of its own.
Record measure_length(const MemoryConfig& config, std::int64_t length, const Context& context) {
  MemoryConfig one = config;
  one.seq_lengths = {length};
  CaseRequest request;
  request.name = fmt::format("{} at {}", context.case_name, length);
  request.type = "memory";
  request.device = context.device.name;
  request.budget_s = context.budget_s;
  request.config = to_json(one);
  return run_isolated(request, /*nested=*/true);
}

}  // namespace

bool append_length(const Record& part, std::int64_t length, Record& record) {
  if (part.status != Record::Status::kOk) {
    record.status = part.status;
    record.reason = fmt::format("seq_length {}: {}", length, part.reason);
    record.hint = part.hint;
    return false;
  }
  for (const auto& [name, note] : part.notes) record.notes[name] = note;
  if (!part.peak_unread().empty()) {  // of longer ones it couldn't be read either
    record.notes[kPeakUnreadNote] = fmt::format("sequence length {}: {}", length, part.peak_unread());
    return false;
  }
  if (part.samples(series::kPeakMemoryBytes).empty()) {  // longer ones won't fit either
    record.notes["did_not_fit"] = fmt::format("sequence length {} {}", length, part.notes.at("did_not_fit"));
    record.facts[facts::kNeededMemoryBytes] = part.fact(facts::kNeededMemoryBytes);
    return false;
  }
  for (const auto& [name, series] : part.series) record.add(name, series.unit.c_str(), series.samples.front());
  return true;
}

void MemoryConfig::validate(const Require& require) const {
  source.validate(require);
  require(mode == "decode" || source.model, "mode", "train needs a model, not a checkpoint", "its weights are random");
  require(mode == "train" || !gradient_checkpointing, "gradient_checkpointing", "is for mode: train",
          "decoding keeps nothing for a backward pass");
  require(!seq_lengths.empty(), "seq_lengths", "is empty", "");
  for (const std::int64_t length : seq_lengths)
    require(length > 0 && (!source.model || length <= source.model->value.max_seq_length), "seq_lengths",
            fmt::format("{} is not in 1 .. the model's max_seq_length", length), "");
  require(std::ranges::is_sorted(seq_lengths), "seq_lengths", "must rise", "");
  require(batch > 0, "batch", "must be positive", "");
  require_sizes(require, {{"batch", batch}, {"seq_lengths", seq_lengths.back()}});
}

void run_memory(const MemoryConfig& config, Context& context, Record& record) {
  record.facts[facts::kBatch] = static_cast<double>(config.batch);
  if (is_skipped(config.source, context.device, record)) return;
  if (config.seq_lengths.size() == 1) {
    const std::int64_t length = config.seq_lengths[0];
    config.mode == "train" ? train_once(config, length, context.device, record)
                           : decode_once(config, length, context.device, record);
    if (!record.samples(series::kPeakMemoryBytes).empty())
      record.add(series::kSeqLength, "tokens", static_cast<double>(length));
    return;
  }
  Progress progress(context.case_name, static_cast<std::int64_t>(config.seq_lengths.size()), "lengths");
  const double begin_s = now_s();
  for (const std::int64_t length : config.seq_lengths) {
    if (now_s() - begin_s > context.budget_s) {
      record.notes["cut_short"] = fmt::format("budget_s was used up before sequence length {}", length);
      break;
    }
    if (!append_length(measure_length(config, length, context), length, record)) break;
    progress.update(
        static_cast<std::int64_t>(record.samples(series::kSeqLength).size()),
        fmt::format("{} tokens: {:.2f} GB", length, record.samples(series::kPeakMemoryBytes).back() * 1e-9));
  }
}

void plan_memory(const MemoryConfig& config, const model::ModelConfig& model, const Ceilings& ceilings,
                 CasePlan& plan) {
  plan.dtype = planned_dtype(config.source, ceilings);
  const std::int64_t longest = config.seq_lengths.back(), element = element_bytes(plan.dtype);
  plan.batch = static_cast<double>(config.batch);
  plan.tokens = plan.batch * static_cast<double>(longest);
  if (config.mode == "decode") {
    plan.memory =
        estimate_decode_memory(model, {config.batch, std::max<std::int64_t>(longest - 1, 1), longest, element, 0});
    return;
  }
  TrainingShape shape{config.batch,
                      longest,
                      element,
                      config.gradient_checkpointing,
                      config.compile_model,
                      ceilings.kernels,
                      ceilings.tiled_attention};
  shape.heap_bytes = ceilings.heap_bytes;
  plan.memory = estimate_training_memory(model, shape);
}

}  // namespace bench::harness
