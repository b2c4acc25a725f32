#include "harness/training/trainer.h"

#include "harness/core/error.h"
#include "harness/training/finite.h"
#include "harness/training/schedule.h"

#include <cmath>

#include <fmt/format.h>

namespace bench::harness {

Trainer::Trainer(model::LanguageModel model, const TrainingConfig& config, const Execution& execution,
                 const Device& device, const Batches& batches, std::int64_t first_step)
    : model_(std::move(model)),
      config_(config),
      device_(device),
      optimizer_(*model_, config.optimizer, config.train.weight_decay, execution.fused),
      loss_scaler_(execution.compute == torch::kHalf),
      micro_batch_size_(execution.micro_batch_size),
      micro_steps_per_step_(config.train.effective_batch_size / micro_batch_size_),
      step_(first_step),
      prefetcher_(batches, {config.train.num_workers, config.train.prefetch_factor, config.train.pin_memory},
                  first_step * micro_steps_per_step_) {
  model_->set_compute_dtype(execution.compute);
  model_->set_gradient_checkpointing(execution.gradient_checkpointing);
  model_->set_all_fused(execution.fused);
  model_->set_tiled_gradient(!device.fused_attention_gradient);
  // All gradients are allocated at once, before anything else: later allocations lie beside them, not between them.
  for (auto& parameter : model_->parameters()) parameter.mutable_grad() = torch::zeros_like(parameter);
}

void Trainer::micro_step() {
  model_->train();
  model_->set_dropout_key({static_cast<std::uint64_t>(config_.seed), step_, micro_steps_ * micro_batch_size_});
  const torch::Tensor batch = prefetcher_.next();
  // The batch is copied in the background only from pinned memory. Other memory may be reused before the copy has read
  // it.
  const torch::Tensor ids =
      batch.to(device_.torch_device(), /*non_blocking=*/config_.train.pin_memory && device_.pins_memory);  // [B, T + 1]
  // All micro-batches have the same number of tokens, so the mean of their means is the mean of the step.
  const torch::Tensor loss = model_->loss_backward(ids.slice(1, 0, -1), ids.slice(1, 1),
                                                   loss_scaler_.scale() / static_cast<double>(micro_steps_per_step_));
  loss_sum_ = micro_steps_ == 0 ? loss : loss_sum_ + loss;
  ++micro_steps_;
}

StepResult Trainer::update() {
  StepResult result;
  result.learning_rate = learning_rate(config_.train, step_);
  // The only numbers of a step that the host reads: each read waits for all work given to the device.
  const torch::Tensor read = torch::stack({loss_sum_, gradient_norm(*model_)}).cpu();
  result.loss = read.const_data_ptr<float>()[0] / static_cast<double>(micro_steps_);
  const Clipping clipping =
      clip_factor(read.const_data_ptr<float>()[1], config_.train.max_grad_norm, loss_scaler_.scale());
  result.grad_norm = clipping.norm;
  result.skipped = !std::isfinite(result.loss) || !std::isfinite(result.grad_norm);
  if (!result.skipped) optimizer_.step(result.learning_rate, clipping.factor);  // a skipped step changes no weights
  loss_scaler_.update(!result.skipped);
  count_skipped(result);
  for (auto& parameter : model_->parameters()) parameter.mutable_grad().zero_();
  micro_steps_ = 0;
  result.step = ++step_;
  return result;
}

void Trainer::count_skipped(const StepResult& result) {
  skipped_.total += result.skipped ? 1 : 0;
  skipped_.in_a_row = result.skipped ? skipped_.in_a_row + 1 : 0;
  if (skipped_.in_a_row < kMostSkipped) return;
  const auto spoilt = first_not_finite();
  throw Error::at_run_time(fmt::format("step {}", step_ + 1),
                           fmt::format("loss {} and gradient norm {} are not both finite, for the {}th time in a row",
                                       result.loss, result.grad_norm, skipped_.in_a_row),
                           spoilt ? fmt::format("lower learning_rate: an update has made {} not finite", *spoilt)
                                  : "lower learning_rate or check the data; the weights are still finite");
}

std::optional<std::string> Trainer::first_not_finite() const {
  const auto weight = harness::first_not_finite(*model_);
  return weight ? weight : harness::first_not_finite(optimizer_.state());
}

StepResult Trainer::step() {
  for (std::int64_t i = 0; i < micro_steps_per_step_; ++i) micro_step();
  return update();
}

}  // namespace bench::harness
