#include "harness/training/trainer.h"

#include "harness/core/error.h"
#include "harness/training/schedule.h"
#include "model/loss.h"

#include <cmath>

#include <fmt/format.h>

namespace bench::harness {

Execution execution_for(const TrainingConfig& config, const Device& device, std::int64_t micro_batch_size,
                        const std::string& where) {
  Execution execution;
  execution.micro_batch_size = micro_batch_size > 0 ? micro_batch_size : config.train.batch_size;
  execution.gradient_checkpointing = config.train.gradient_checkpointing;
  execution.compute = config.train.mixed_precision && device.fast_bf16() ? torch::kBFloat16 : torch::kFloat32;
  execution.fused = config.train.compile_model;
  if (config.train.effective_batch_size % execution.micro_batch_size != 0)
    throw Error(where,
                fmt::format("{} does not divide the effective batch of {}", execution.micro_batch_size,
                            config.train.effective_batch_size),
                "the effective batch defines the optimisation and is kept");
  return execution;
}

Trainer::Trainer(model::LanguageModel model, const TrainingConfig& config, const Execution& execution,
                 const Device& device, const Batches& batches, std::int64_t first_step)
    : model_(std::move(model)),
      config_(config),
      device_(device),
      optimizer_(*model_, config.optimizer, config.train.weight_decay, execution.fused),
      micro_steps_per_step_(config.train.effective_batch_size / execution.micro_batch_size),
      step_(first_step),
      prefetcher_(batches, {config.train.num_workers, config.train.prefetch_factor, config.train.pin_memory},
                  first_step * micro_steps_per_step_) {
  model_->set_compute_dtype(execution.compute);
  model_->set_gradient_checkpointing(execution.gradient_checkpointing);
  model_->set_fused(execution.fused);
}

void Trainer::micro_step() {
  model_->train();
  const torch::Tensor batch = prefetcher_.next();
  // Copied in the background only from pinned memory: other memory may be reused before the copy has read it.
  const torch::Tensor ids =
      batch.to(device_.torch_device(), /*non_blocking=*/config_.train.pin_memory && device_.pins_memory);  // [B, T + 1]
  const torch::Tensor hidden = model_->hidden(ids.slice(1, 0, -1));                                        // [B, T, C]
  const torch::Tensor loss = model::mean_nll(model_->head(hidden), ids.slice(1, 1));
  // All micro-batches have the same number of tokens, so the mean of their means is the mean of the step.
  (loss / static_cast<double>(micro_steps_per_step_)).backward();
  loss_sum_ = micro_steps_ == 0 ? loss.detach() : loss_sum_ + loss.detach();
  ++micro_steps_;
}

StepResult Trainer::update() {
  StepResult result;
  result.learning_rate = learning_rate(config_.train, step_);
  result.loss = loss_sum_.item<double>() / static_cast<double>(micro_steps_);  // once a step: it waits for the device
  result.grad_norm = clip_gradients(*model_, config_.train.max_grad_norm);
  if (!std::isfinite(result.loss) || !std::isfinite(result.grad_norm))  // before it reaches the weights
    throw Error::at_run_time(
        fmt::format("step {}", step_ + 1),
        fmt::format("loss {} and gradient norm {} are not both finite", result.loss, result.grad_norm),
        "lower learning_rate or check the data; the last checkpoint is good");
  optimizer_.step(result.learning_rate);
  for (auto& parameter : model_->parameters()) parameter.mutable_grad().zero_();
  micro_steps_ = 0;
  ++step_;
  return result;
}

StepResult Trainer::step() {
  for (std::int64_t i = 0; i < micro_steps_per_step_; ++i) micro_step();
  return update();
}

}  // namespace bench::harness
