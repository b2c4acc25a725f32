#include "harness/cases/train.h"
#include "harness/cost/memory_fit.h"

namespace bench::harness {
namespace {

/// Puts the case's micro-batch into the shape, by the same decision as when the case runs.
void choose_micro_batch(const TrainCaseConfig& config, const model::ModelConfig& model, const Ceilings& ceilings,
                        const std::string& case_name, TrainingShape& shape) {
  const MicroBatch asked{.size = config.micro_batch_size,
                         .budget_bytes = config.memory_budget_gb * 1e9,
                         .budget_key = "memory_budget_gb, or --machine"};
  const FreeMemory free{ceilings.memory_bytes, "the system does not tell"};
  const StepDivision division = divide_step(model, shape, config.training.value.train.effective_batch_size, asked, free,
                                            case_name + ": micro_batch_size");
  shape.batch = division.micro_batch_size;
  shape.gradient_checkpointing = division.gradient_checkpointing;
}

}  // namespace

void plan_train(const TrainCaseConfig& config, const model::ModelConfig& model, const Ceilings& ceilings,
                CasePlan& plan) {
  const TrainConfig& train = config.training.value.train;
  TrainingPlan& training = plan.training.emplace();
  training.batch_size = train.batch_size;
  training.accumulation_steps = train.gradient_accumulation_steps;
  training.seq_length = train.max_seq_length;
  training.config_checkpointing = train.gradient_checkpointing;
  training.gradient_checkpointing = config.gradient_checkpointing.value_or(train.gradient_checkpointing);
  training.tokens_per_step = static_cast<double>(train.effective_batch_size * train.max_seq_length);
  training.max_steps = static_cast<double>(train.max_steps);
  training.flops_without_attention = 6 * plan.parameters * training.tokens_per_step;
  plan.dtype = train.mixed_precision ? ceilings.mixed_dtype : "fp32";
  plan.batch = static_cast<double>(train.effective_batch_size);
  plan.tokens = training.tokens_per_step;
  plan.flops = training_flops_per_token(model, train.max_seq_length) * plan.tokens;
  const std::int64_t element = element_bytes(plan.dtype);
  TrainingShape shape{train.batch_size,
                      train.max_seq_length,
                      element,
                      training.gradient_checkpointing,
                      config.compile_model.value_or(train.compile_model),
                      ceilings.kernels,
                      ceilings.tiled_attention};
  shape.heap_bytes = ceilings.heap_bytes;
  choose_micro_batch(config, model, ceilings, plan.name, shape);
  training.micro_batch_size = shape.batch;
  training.gradient_checkpointing = shape.gradient_checkpointing;
  // Each micro-batch reads every weight forward and backward, and adds its gradient up.
  plan.bytes =
      plan.batch / static_cast<double>(training.micro_batch_size) * 4 * plan.parameters * static_cast<double>(element);
  plan.memory = estimate_training_memory(model, shape);
  shape.batch = train.batch_size;
  shape.gradient_checkpointing = train.gradient_checkpointing;
  training.config_memory = estimate_training_memory(model, shape);
  bound_time(ceilings, plan);
}

}  // namespace bench::harness
