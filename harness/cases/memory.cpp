#include "harness/cases/memory.h"

#include "harness/cases/model_source.h"
#include "harness/checkpoints.h"
#include "harness/core/progress.h"
#include "harness/data/synthetic.h"
#include "harness/isolated.h"
#include "harness/training/memory_estimate.h"

namespace bench::harness {
namespace {

torch::Dtype compute_dtype(const MemoryConfig& config, const Device& device) {
  if (config.dtype == "auto") return device.fast_bf16() ? torch::kBFloat16 : torch::kFloat32;
  return dtype_named(config.dtype, "dtype");
}

void train_once(const MemoryConfig& config, std::int64_t seq_length, const Device& device) {
  TrainingConfig training;
  training.train.batch_size = training.train.effective_batch_size = config.batch;
  training.train.gradient_accumulation_steps = 1;
  training.train.max_seq_length = seq_length;
  training.train.num_workers = 0;
  const Execution execution{config.batch, config.gradient_checkpointing, compute_dtype(config, device)};
  const auto needed = estimate_training_memory(config.model.value, execution, seq_length);
  if (needed.total() > static_cast<double>(device.available_bytes()))
    throw Error::at_run_time(fmt::format("seq_length {}", seq_length), fmt::format("needs about {}, {:.1f} GB are free", needed.text(), static_cast<double>(device.available_bytes()) / 1e9));
  model::LanguageModel model(config.model.value, torch::TensorOptions().device(device.torch_device()));
  for (auto& buffer : model->buffers()) buffer.set_data(buffer.to(device.torch_device()));
  model::init_weights(model, 0);
  const Batches batches(synthetic_tokens(config.model.value.vocab_size, config.batch * seq_length + 1, 0), config.batch, seq_length, 0);
  Trainer(model, training, execution, device, batches).step();
}

void decode_once(const MemoryConfig& config, std::int64_t seq_length, const Device& device, Record& record) {
  const torch::NoGradGuard no_grad;
  ModelSource source;
  source.model = config.model;
  source.dtype = config.dtype;
  model::LanguageModel model = open_model(source, device, record);
  model::KvCache cache = model->make_cache(config.batch, seq_length);
  const torch::Tensor ids = random_ids(config.batch, seq_length, config.model.value.vocab_size, source.seed).to(model->device());
  if (seq_length > 1) model->next_logits(ids.slice(1, 0, -1), cache);
  model->next_logits(ids.slice(1, -1), cache);
}

}  // namespace

void MemoryConfig::validate(const Require& require) const {
  require(mode == "train" || mode == "decode", "mode", fmt::format("unknown mode '{}'", mode), "known: train, decode");
  require(dtype == "auto" || dtype == "fp32" || dtype == "bf16", "dtype", fmt::format("unknown dtype '{}'", dtype), "known: auto, fp32, bf16");
  require(!seq_lengths.empty(), "seq_lengths", "is empty", "");
  for (const std::int64_t length : seq_lengths)
    require(length > 0 && length <= model.value.max_seq_length, "seq_lengths",
            fmt::format("{} is not in 1 .. the model's max_seq_length {}", length, model.value.max_seq_length), "");
  require(batch > 0, "batch", "must be positive", "");
}

Record run_memory(const MemoryConfig& config, Context& context) {
  Record record = new_record(context, "memory", to_json(config));
  record.facts["batch"] = static_cast<double>(config.batch);
  if (config.seq_lengths.size() == 1) {
    const std::int64_t length = config.seq_lengths[0];
    config.mode == "train" ? train_once(config, length, context.device) : decode_once(config, length, context.device, record);
    record.notes["dtype"] = dtype_text(compute_dtype(config, context.device));
    record.add("seq_length", "tokens", static_cast<double>(length));
    record_peak_memory(context.device, record);
    return record;
  }
  Progress progress(context.case_name, static_cast<std::int64_t>(config.seq_lengths.size()), "lengths");
  for (const std::int64_t length : config.seq_lengths) {
    MemoryConfig one = config;
    one.seq_lengths = {length};
    const Record part = run_isolated({fmt::format("{} at {}", context.case_name, length), "memory", context.device.name, context.budget_s, to_json(one)});
    if (part.status != Record::Status::kOk) {
      record.status = part.status;
      record.reason = fmt::format("seq_length {}: {}", length, part.reason);
      record.hint = part.hint;
      return record;
    }
    for (const char* series : {"seq_length", "peak_memory_bytes"})
      record.add(series, part.series.at(series).unit.c_str(), part.samples(series).front());
    record.notes["dtype"] = part.notes.at("dtype");
    progress.update(static_cast<std::int64_t>(record.samples("seq_length").size()), fmt::format("{} tokens: {:.2f} GB", length, record.samples("peak_memory_bytes").back() * 1e-9));
  }
  return record;
}

}  // namespace bench::harness
