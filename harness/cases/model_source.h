#pragma once

#include "harness/cases/context.h"
#include "harness/cost/ceilings.h"
#include "harness/data/tokenizer.h"
#include "harness/evaluation/quantization_cost.h"
#include "model/decoder.h"

#include <filesystem>
#include <memory>
#include <optional>

namespace bench::harness {

/// Where a case's model comes from: a config with random weights, or a checkpoint. Shared by several cases' configs.
struct ModelSource {
  std::optional<FileOr<model::ModelConfig>> model;
  std::string checkpoint;
  OneOf<"error", "skip"> when_missing;
  OneOf<"auto", "fp32", "bf16"> dtype;
  QuantizationName quantize;
  std::string quality_text = "data/processed/valid.txt";
  std::int64_t seed = 1337;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("model", self.model, "model config (a file, or its keys) to be filled with random weights");
    visit("checkpoint", self.checkpoint, "or a Hugging Face folder to load");
    visit("when_missing", self.when_missing,
          "what a missing checkpoint is; of a case that is skipped no gate is judged");
    visit("dtype", self.dtype, "of weights and computing; auto is bf16 where the device is fast at it");
    visit("quantize", self.quantize,
          "weights as integers while the case runs; int4 on the CPU only, elsewhere the case is skipped");
    visit("quality_text", self.quality_text,
          "held-out text on which the cost of quantize is measured; without it or a tokenizer the synthetic language");
    visit("seed", self.seed, "of random weights and of random tokens");
  }
  void validate(const Require& require) const;
};

/// Returns true if the case is to be skipped, because its checkpoint isn't there yet or because the device can't do
/// what it asks for. The record then says why.
bool is_skipped(const ModelSource& source, const Device& device, Record& record);

/// The dtype that the source's `dtype` means on that device.
torch::Dtype dtype_for(const ModelSource& source, const Device& device);
std::int64_t element_bytes(torch::Dtype dtype);
/// The name of that dtype on a machine with these ceilings, which need not be the machine at hand.
std::string planned_dtype(const ModelSource& source, const Ceilings& ceilings);

/// The model in eval mode; the record notes dtype, parameters and where the weights come from.
model::LanguageModel open_model(const ModelSource& source, const Device& device, Record& record);

/// With `quantize`: records what quantising costs, by comparison with the same model opened once more as it is stored.
/// Call this only after the peak memory was recorded.
void record_quantization_cost(const ModelSource& source, const Device& device, model::LanguageModel& quantized,
                              Record& record);

/// Random token ids [B, T] int64 on the CPU, the same for a seed on every machine.
torch::Tensor random_ids(std::int64_t batch, std::int64_t tokens, std::int64_t vocab_size, std::int64_t seed);

/// Arithmetic and memory traffic that one unit of a case's work must cost: its place on the roofline.
struct UnitCost {
  double flops = 0, bytes = 0;
};
/// Records the facts work_flops and work_bytes.
void record_work(const UnitCost& cost, Record& record);

/// Notes a file that the case reads, with the hash of its content.
void record_input(const std::filesystem::path& file, Record& record);

/// Puts the process's peak memory into the record, or a note that says why it isn't known, and the backend's other
/// counts of it.
void record_peak_memory(const Device& device, Record& record);

}  // namespace bench::harness
