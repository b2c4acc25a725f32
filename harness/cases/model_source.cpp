#include "harness/cases/model_source.h"

#include "harness/checkpoints/checkpoints.h"
#include "harness/core/clock.h"
#include "harness/core/hash.h"
#include "harness/data/tokens.h"
#include "harness/training/training_data.h"
#include "model/device/kernels.h"

#include <filesystem>

namespace bench::harness {

void ModelSource::validate(const Require& require) const {
  require(model.has_value() != !checkpoint.empty(), "model", "give either model or checkpoint", "");
  require(seed >= 0, "seed", "must not be negative", "");
}

bool is_skipped(const ModelSource& source, const Device& device, Record& record) {
  if (source.quantize == "int4" && !device.has_kernels) {
    record.status = Record::Status::kSkipped;
    record.reason = fmt::format("weights of 4 bits are for the processor's own kernels, which {} has not", device.name);
    record.hint = "int8 works on every device";
    return true;
  }
  if (source.checkpoint.empty() || source.when_missing != "skip" || std::filesystem::exists(source.checkpoint))
    return false;
  record.status = Record::Status::kSkipped;
  record.reason = fmt::format("{}: no such checkpoint yet", source.checkpoint);
  record.hint =
      "train one: scripts/corpus; bench tokenizer train --model MODEL.yaml; bench train --model MODEL.yaml --training "
      "TRAINING.yaml, "
      "where the training config's output_dir is this checkpoint's folder";
  return true;
}

torch::Dtype dtype_for(const ModelSource& source, const Device& device) {
  return dtype_or_fast(source.dtype, device, "dtype");
}

std::string planned_dtype(const ModelSource& source, const Ceilings& ceilings) {
  return source.dtype == "auto" ? ceilings.mixed_dtype : source.dtype.value;
}

std::int64_t element_bytes(torch::Dtype dtype) { return static_cast<std::int64_t>(c10::elementSize(dtype)); }

namespace {

/// The model with the weights as they are stored, in eval mode.
model::LanguageModel open_unquantized(const ModelSource& source, const Device& device) {
  const torch::Dtype dtype = dtype_for(source, device);
  model::LanguageModel model =
      source.checkpoint.empty() ? new_model(source.model->value, dtype, device, static_cast<std::uint64_t>(source.seed))
                                : open_checkpoint(source.checkpoint, dtype, device.torch_device());
  model->eval();
  return model;
}

/// Tokens of the source's text where there is one that its tokenizer reads, else of the synthetic language.
torch::Tensor tokens_to_judge_by(const ModelSource& source, const model::ModelConfig& config, Record& record) {
  const bool readable = !source.checkpoint.empty() && has_tokenizer(source.checkpoint);
  if (readable && std::filesystem::exists(source.quality_text)) {
    const auto tokenizer = checkpoint_tokenizer(source.checkpoint).tokenizer;
    record_input(source.quality_text, record);
    record.notes["quality_text"] = source.quality_text;
    return harness::quality_tokens(text_tokens(source.quality_text, *tokenizer, /*threads=*/2).ids);
  }
  const TokenStream synthetic = synthetic_validation_tokens(config.vocab_size);
  record.notes["quality_text"] = synthetic.source;
  return harness::quality_tokens(synthetic.ids);
}

}  // namespace

void record_quantization_cost(const ModelSource& source, const Device& device, model::LanguageModel& quantized,
                              Record& record) {
  if (source.quantize == "none") return;
  model::LanguageModel base = open_unquantized(source, device);
  const QuantizationCost cost =
      measure_quantization_cost(base, quantized, tokens_to_judge_by(source, base->config(), record));
  record.facts[facts::kQuantizationNllNats] = cost.nll_nats;
  record.facts[facts::kQuantizationBaseNllNats] = cost.base_nll_nats;
  record.facts[facts::kQuantizationKlNats] = cost.kl_divergence_nats;
  record.facts[facts::kQuantizationSameTopShare] = cost.same_top_share;
  record.facts[facts::kQuantizationTokens] = static_cast<double>(cost.tokens);
  record.notes["quantization_cost"] = cost.text();
}

model::LanguageModel open_model(const ModelSource& source, const Device& device, Record& record) {
  const double begin_s = now_s();
  model::LanguageModel model = open_unquantized(source, device);
  model->quantize(quantization_named(source.quantize, "quantize"));
  if (!source.checkpoint.empty()) {
    record.facts[facts::kLoadTimeS] = now_s() - begin_s;
    record.notes["weights"] = source.checkpoint;
    const std::filesystem::path folder = source.checkpoint, checksums = folder / kChecksumsFile;
    if (std::filesystem::exists(checksums)) {
      record_input(checksums, record);  // which open_checkpoint has just verified, of all other files
    } else {
      for (const auto& entry : std::filesystem::directory_iterator(folder)) record_input(entry.path(), record);
    }
  } else {
    record.notes["weights"] = fmt::format("random, seed {}", source.seed);
  }
  if (device.has_device_kernels) {
    const std::string missing = model::why_no_device_kernels(torch::empty({0}, torch::device(model->device())));
    if (!missing.empty()) record.notes["device_kernels"] = "our own are left aside: " + missing;
  }
  record.notes["quantize"] = source.quantize;
  record.notes["dtype"] = dtype_text(dtype_for(source, device));
  record.facts[facts::kParameters] = static_cast<double>(parameter_count(model->config()));
  record.facts[facts::kParametersWithoutEmbedding] =
      static_cast<double>(parameter_count_without_embedding(model->config()));
  return model;
}

torch::Tensor random_ids(std::int64_t batch, std::int64_t tokens, std::int64_t vocab_size, std::int64_t seed) {
  const at::Generator generator = at::detail::createCPUGenerator(static_cast<std::uint64_t>(seed));
  return torch::randint(0, vocab_size, {batch, tokens}, generator, torch::kInt64);
}

void record_work(const UnitCost& cost, Record& record) {
  record.facts[facts::kWorkFlops] = cost.flops;
  record.facts[facts::kWorkBytes] = cost.bytes;
}

void record_input(const std::filesystem::path& file, Record& record) {
  if (std::filesystem::is_regular_file(file)) record.inputs[file.string()] = xxh128_file(file);
}

namespace {

/// Records what the backend tells about its peak besides the number that is judged.
void record_peak_parts(const Device& device, Record& record) {
  std::string text;
  for (const auto& [name, reading] : device.peak_parts()) {
    if (reading) record.facts[facts::peak_part(name)] = static_cast<double>(reading.bytes);
    text += fmt::format(
        "{}{} {}", text.empty() ? "" : ", ", name,
        reading ? fmt::format("{:.2f} GB", static_cast<double>(reading.bytes) / 1e9) : "unknown: " + reading.missing);
  }
  if (!text.empty())
    record.notes[kPeakPartsNote] = "peak memory by who counts, with what the speed probe keeps: " + text;
}

}  // namespace

void record_peak_memory(const Device& device, Record& record) {
  const MemoryReading peak = peak_bytes_without_probe(device);
  if (peak)
    record.add(series::kPeakMemoryBytes, "bytes", static_cast<double>(peak.bytes));
  else
    record.notes[kPeakUnreadNote] = "peak memory could not be read: " + peak.missing;
  record_peak_parts(device, record);
}

}  // namespace bench::harness
