#include "harness/training/memory_estimate.h"

#include "harness/core/error.h"
#include "harness/core/progress.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

namespace bench::harness {

TrainingShape training_shape(const Execution& execution, std::int64_t seq_length, const Device* device) {
  TrainingShape shape;
  shape.batch = execution.micro_batch_size;
  shape.seq_length = seq_length;
  shape.element_bytes = static_cast<std::int64_t>(c10::elementSize(execution.compute));
  shape.gradient_checkpointing = execution.gradient_checkpointing;
  shape.fused = execution.fused;
  if (!device) return shape;
  shape.kernels = device->has_kernels;
  shape.tiled_attention = !device->fused_attention_gradient;
  shape.heap_bytes = device->heap_bytes;
  shape.threads = at::get_num_threads();
  const MemoryReading program = device->current_bytes();
  shape.program_bytes = static_cast<double>(program.bytes);
  shape.program_missing = program.missing;
  return shape;
}

std::optional<std::string> why_not_enough_memory(const MemoryEstimate& needed, const Device& device) {
  const MemoryReading available = device.available_bytes();
  // The free memory no longer includes what the program holds. Before an allocator refuses, it gives heaps back.
  const double more = needed.least_total() - needed.program;
  if (!available || more <= static_cast<double>(available.bytes)) return {};
  return fmt::format("needs about {}, {:.1f} GB are free on {}", needed.text(),
                     static_cast<double>(available.bytes) / 1e9, device.name);
}

std::optional<std::string> why_fit_is_unknown(const Device& device) {
  const MemoryReading available = device.available_bytes();
  if (available) return {};
  return "whether it fits is not known, since free memory could not be read: " + available.missing;
}

MemoryEstimate estimate_training_memory(const model::ModelConfig& model, const Execution& execution,
                                        std::int64_t seq_length, const Device* device) {
  return estimate_training_memory(model, training_shape(execution, seq_length, device));
}

Execution choose_execution(const model::ModelConfig& model, const TrainingConfig& config, const MicroBatch& micro_batch,
                           const Device& device, const std::string& where) {
  Execution execution = execution_for(config, device, 0, where);
  const TrainingShape shape = training_shape(execution, config.train.max_seq_length, &device);
  FreeMemory free;
  if (const MemoryReading available = device.available_bytes())
    free.bytes = static_cast<double>(available.bytes) + shape.program_bytes;
  else
    free.missing = available.missing;
  const StepDivision division = divide_step(model, shape, config.train.effective_batch_size, micro_batch, free, where);
  execution.micro_batch_size = division.micro_batch_size;
  execution.gradient_checkpointing = division.gradient_checkpointing;
  return execution;
}

std::optional<std::string> why_training_does_not_fit(const model::ModelConfig& model, const Execution& execution,
                                                     std::int64_t seq_length, const Device& device) {
  const TrainingShape shape = training_shape(execution, seq_length, &device);
  if (auto why = why_not_enough_memory(estimate_training_memory(model, shape), device)) return why;
  if (device.max_tensor_bytes <= 0) return {};
  // Fused operators never hold all logits or all attention probabilities at once. The exception is probabilities that
  // are dropped out.
  const bool probabilities = !shape.fused || model.attention_dropout > 0;
  const auto length = static_cast<double>(seq_length), batch = static_cast<double>(shape.batch);
  const double logits_bytes = shape.fused ? 0 : 4 * batch * length * static_cast<double>(model.vocab_size);
  const double probability_bytes =
      probabilities ? 4 * batch * length * length * static_cast<double>(model.num_heads) : 0;
  for (const auto& [what, bytes] : {std::pair{"logits", logits_bytes}, {"attention probabilities", probability_bytes}})
    if (bytes >= static_cast<double>(device.max_tensor_bytes))
      return fmt::format("its {} take {:.0f} bytes, {} can't index more than {}", what, bytes, device.name,
                         device.max_tensor_bytes);
  return {};
}

void check_training_fits(const model::ModelConfig& model, const Execution& execution, std::int64_t seq_length,
                         const Device& device) {
  if (const auto why = why_training_does_not_fit(model, execution, seq_length, device))
    throw Error::at_run_time(fmt::format("micro-batch of {} x {} tokens", execution.micro_batch_size, seq_length), *why,
                             "--micro-batch-size auto (in a suite micro_batch_size: auto) takes what fits");
  if (const auto unknown = why_fit_is_unknown(device)) print_status(*unknown);
}

}  // namespace bench::harness
