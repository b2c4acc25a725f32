#include "harness/training/memory_estimate.h"

#include "harness/core/error.h"

#include <fmt/format.h>

namespace bench::harness {

std::string MemoryEstimate::text() const {
  return fmt::format(
      "{:.1f} GB (weights {:.1f}, gradients {:.1f}, optimizer {:.1f}, activations {:.1f}, logits {:.1f})",
      total() / 1e9, weights / 1e9, gradients / 1e9, optimizer / 1e9, activations / 1e9, logits / 1e9);
}

MemoryEstimate estimate_training_memory(const model::ModelConfig& model, const Execution& execution,
                                        std::int64_t seq_length) {
  constexpr double kFp32 = 4;
  const auto parameters = static_cast<double>(parameter_count(model));
  const auto tokens = static_cast<double>(execution.micro_batch_size * seq_length);
  const auto element = static_cast<double>(c10::elementSize(execution.compute));
  const auto hidden = static_cast<double>(model.hidden_size), inner = static_cast<double>(model.intermediate_size);
  const auto layers = static_cast<double>(model.num_layers);
  MemoryEstimate estimate;
  estimate.weights = kFp32 * parameters + (execution.compute == torch::kFloat32 ? 0 : element * parameters);
  estimate.gradients = kFp32 * parameters;
  estimate.optimizer = 2 * kFp32 * parameters;
  // What autograd keeps of one block for one token: in fp32 the two norms' input and scaled input; in the compute dtype
  // the norms' outputs, q, k, v (k and v repeated for their query heads), the attention's output twice, and four
  // tensors of the feed-forward's width.
  double block = 4 * kFp32 * hidden + element * (7 * hidden + 4 * inner);
  if (model.dropout > 0) block += 2 * element * hidden;  // its masks
  // The plain attention keeps scores and probabilities, the fused one neither.
  if (!execution.fused) block += static_cast<double>(model.num_heads * seq_length) * (kFp32 + 2 * element);
  estimate.activations =
      tokens * (execution.gradient_checkpointing ? layers * element * hidden + block : layers * block);
  // Logits in the compute dtype, then fp32: logits, log-probabilities and their gradient.
  estimate.logits = tokens * static_cast<double>(model.vocab_size) * (element + 3 * kFp32);
  return estimate;
}

void check_training_fits(const model::ModelConfig& model, const Execution& execution, std::int64_t seq_length,
                         const Device& device) {
  const std::string what = fmt::format("micro-batch of {} x {} tokens", execution.micro_batch_size, seq_length);
  const std::string hint = "lower the micro-batch size, or turn gradient_checkpointing on";
  const MemoryEstimate needed = estimate_training_memory(model, execution, seq_length);
  const auto available = static_cast<double>(device.available_bytes());
  if (needed.total() > available)
    throw Error::at_run_time(
        what, fmt::format("needs about {}, {:.1f} GB are free on {}", needed.text(), available / 1e9, device.name),
        hint);
  const std::int64_t logits_bytes = execution.micro_batch_size * seq_length * model.vocab_size * 4;
  if (device.max_tensor_bytes > 0 && logits_bytes >= device.max_tensor_bytes)
    throw Error::at_run_time(what,
                             fmt::format("its logits take {} bytes, {} can't index more than {}", logits_bytes,
                                         device.name, device.max_tensor_bytes),
                             hint);
}

}  // namespace bench::harness
