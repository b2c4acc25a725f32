#include "harness/training/memory_estimate.h"

#include "harness/core/error.h"

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
  shape.fused_attention_gradient = device->fused_attention_gradient;
  shape.program_bytes = static_cast<double>(device->current_bytes());
  return shape;
}

MemoryEstimate estimate_training_memory(const model::ModelConfig& model, const Execution& execution,
                                        std::int64_t seq_length, const Device* device) {
  return estimate_training_memory(model, training_shape(execution, seq_length, device));
}

std::optional<std::string> why_training_does_not_fit(const model::ModelConfig& model, const Execution& execution,
                                                     std::int64_t seq_length, const Device& device) {
  const TrainingShape shape = training_shape(execution, seq_length, &device);
  const MemoryEstimate needed = estimate_training_memory(model, shape);
  const auto available = static_cast<double>(device.available_bytes());
  if (needed.total() - needed.program > available)  // what the program holds is no longer among what is free
    return fmt::format("needs about {}, {:.1f} GB are free on {}", needed.text(), available / 1e9, device.name);
  if (device.max_tensor_bytes <= 0) return {};
  const std::int64_t logits_bytes = shape.batch * seq_length * model.vocab_size * 4;
  const bool keeps_probabilities = !shape.fused || !shape.fused_attention_gradient;
  const std::int64_t probability_bytes =
      keeps_probabilities ? shape.batch * model.num_heads * seq_length * seq_length * 4 : 0;
  for (const auto& [what, bytes] : {std::pair{"logits", logits_bytes}, {"attention probabilities", probability_bytes}})
    if (bytes >= device.max_tensor_bytes)
      return fmt::format("its {} take {} bytes, {} can't index more than {}", what, bytes, device.name,
                         device.max_tensor_bytes);
  return {};
}

void check_training_fits(const model::ModelConfig& model, const Execution& execution, std::int64_t seq_length,
                         const Device& device) {
  if (const auto why = why_training_does_not_fit(model, execution, seq_length, device))
    throw Error::at_run_time(fmt::format("micro-batch of {} x {} tokens", execution.micro_batch_size, seq_length), *why,
                             "lower the micro-batch size, or turn gradient_checkpointing on");
}

}  // namespace bench::harness
