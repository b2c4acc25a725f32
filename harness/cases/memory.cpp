#include "harness/cases/memory.h"

#include "harness/cases/model_source.h"
#include "harness/checkpoints.h"
#include "harness/core/clock.h"
#include "harness/core/progress.h"
#include "harness/data/synthetic.h"
#include "harness/isolated.h"
#include "harness/training/memory_estimate.h"

#include <algorithm>

namespace bench::harness {
namespace {

void train_once(const MemoryConfig& config, std::int64_t seq_length, const Device& device, Record& record) {
  const model::ModelConfig& model_config = config.source.model->value;
  TrainingConfig training;
  training.train.batch_size = training.train.effective_batch_size = config.batch;
  training.train.gradient_accumulation_steps = 1;
  training.train.max_seq_length = seq_length;
  training.train.num_workers = 0;
  const Execution execution{config.batch, config.gradient_checkpointing, dtype_for(config.source, device)};
  check_training_fits(model_config, execution, seq_length, device);
  const Batches batches(synthetic_tokens(model_config.vocab_size, config.batch * seq_length + 1, 0), config.batch,
                        seq_length, 0);
  Trainer(new_model(model_config, torch::kFloat32, device, 0), training, execution, device, batches).step();
  record.notes["dtype"] = dtype_text(execution.compute);
}

void decode_once(const MemoryConfig& config, std::int64_t seq_length, const Device& device, Record& record) {
  const torch::NoGradGuard no_grad;
  model::LanguageModel model = open_model(config.source, device, record);
  model::KvCache cache = model->make_cache(config.batch, seq_length);
  const torch::Tensor ids =
      random_ids(config.batch, seq_length, model->config().vocab_size, config.source.seed).to(model->device());
  if (seq_length > 1) model->next_logits(ids.slice(1, 0, -1), cache);
  model->next_logits(ids.slice(1, -1), cache);
}

}  // namespace

void MemoryConfig::validate(const Require& require) const {
  source.validate(require);
  require(mode == "train" || mode == "decode", "mode", fmt::format("unknown mode '{}'", mode), "known: train, decode");
  require(mode == "decode" || source.model, "mode", "train needs a model, not a checkpoint", "its weights are random");
  require(!seq_lengths.empty(), "seq_lengths", "is empty", "");
  for (const std::int64_t length : seq_lengths)
    require(length > 0 && (!source.model || length <= source.model->value.max_seq_length), "seq_lengths",
            fmt::format("{} is not in 1 .. the model's max_seq_length", length), "");
  require(std::is_sorted(seq_lengths.begin(), seq_lengths.end()), "seq_lengths", "must rise", "");
  require(batch > 0, "batch", "must be positive", "");
}

Record run_memory(const MemoryConfig& config, Context& context) {
  Record record = new_record(context, "memory", to_json(config));
  record.facts["batch"] = static_cast<double>(config.batch);
  if (config.seq_lengths.size() == 1) {
    const std::int64_t length = config.seq_lengths[0];
    config.mode == "train" ? train_once(config, length, context.device, record)
                           : decode_once(config, length, context.device, record);
    record.add("seq_length", "tokens", static_cast<double>(length));
    record_peak_memory(context.device, record);
    return record;
  }
  if (skip_for_missing_checkpoint(config.source, record)) return record;
  Progress progress(context.case_name, static_cast<std::int64_t>(config.seq_lengths.size()), "lengths");
  const double begin_s = now_s();
  for (const std::int64_t length : config.seq_lengths) {
    if (now_s() - begin_s > context.budget_s) {
      record.notes["cut_short"] = fmt::format("budget_s was used up before sequence length {}", length);
      break;
    }
    MemoryConfig one = config;
    one.seq_lengths = {length};
    const Record part = run_isolated({fmt::format("{} at {}", context.case_name, length), "memory", context.device.name,
                                      context.budget_s, to_json(one)},
                                     /*nested=*/true);
    if (part.status != Record::Status::kOk) {
      record.status = part.status;
      record.reason = fmt::format("seq_length {}: {}", length, part.reason);
      record.hint = part.hint;
      return record;
    }
    for (const char* series : {"seq_length", "peak_memory_bytes"})
      record.add(series, part.series.at(series).unit.c_str(), part.samples(series).front());
    record.notes["dtype"] = part.notes.at("dtype");
    progress.update(static_cast<std::int64_t>(record.samples("seq_length").size()),
                    fmt::format("{} tokens: {:.2f} GB", length, record.samples("peak_memory_bytes").back() * 1e-9));
  }
  return record;
}

}  // namespace bench::harness
