#include "harness/training/execution.h"

#include "harness/checkpoints/checkpoints.h"
#include "harness/cost/memory_fit.h"

namespace bench::harness {

namespace {

torch::Dtype compute_dtype(const TrainConfig& config, const Device& device) {
  if (!config.mixed_precision) return torch::kFloat32;
  return dtype_or_fast(config.mixed_dtype, device, "train.mixed_dtype");
}

}  // namespace

Execution execution_for(const TrainingConfig& config, const Device& device, std::int64_t micro_batch_size,
                        const std::string& where) {
  Execution execution;
  execution.micro_batch_size = micro_batch_size > 0 ? micro_batch_size : config.train.batch_size;
  execution.gradient_checkpointing = config.train.gradient_checkpointing;
  execution.compute = compute_dtype(config.train, device);
  execution.fused = config.train.compile_model;
  check_divides(execution.micro_batch_size, config.train.effective_batch_size, where);
  return execution;
}

}  // namespace bench::harness
