#include "harness/training/training_config.h"

#include "harness/devices/device_names.h"

#include <initializer_list>

namespace bench::harness {
namespace {

/// Whether the product of positive numbers fits in 64 bits.
bool product_fits(std::initializer_list<std::int64_t> factors) {
  std::int64_t product = 1;
  for (const std::int64_t factor : factors)
    if (__builtin_mul_overflow(product, factor, &product)) return false;
  return true;
}

}  // namespace

void OptimizerConfig::validate(const Require& require) const {
  require(betas.size() == 2, "betas", fmt::format("expected 2 numbers, found {}", betas.size()),
          "for example [0.9, 0.95]");
  for (const double beta : betas) require(beta >= 0 && beta < 1, "betas", "must be in [0, 1)", "");
  require(eps > 0, "eps", "must be positive", "");
}

void TrainConfig::validate(const Require& require) const {
  const auto positive = [&](std::int64_t value, const char* key) {
    require(value > 0, key, fmt::format("{} is not positive", value), "");
    require_sizes(require, {{key, value}});
  };
  const auto not_negative = [&](double value, const char* key) {
    require(value >= 0, key, fmt::format("{} is negative", value), "");
  };
  positive(batch_size, "batch_size");
  positive(gradient_accumulation_steps, "gradient_accumulation_steps");
  require(effective_batch_size == batch_size * gradient_accumulation_steps, "effective_batch_size",
          fmt::format("{} is not batch_size {} x gradient_accumulation_steps {} = {}", effective_batch_size, batch_size,
                      gradient_accumulation_steps, batch_size * gradient_accumulation_steps),
          "change one of the three");
  require_sizes(require, {{"max_seq_length", max_seq_length}, {"warmup_steps", warmup_steps}});
  require(max_seq_length >= 2, "max_seq_length", "must be at least 2", "a token is predicted from at least one other");
  require(learning_rate > 0, "learning_rate", "must be positive", "");
  not_negative(weight_decay, "weight_decay");
  require(max_grad_norm > 0, "max_grad_norm", "must be positive", "");
  not_negative(static_cast<double>(warmup_steps), "warmup_steps");
  positive(max_steps, "max_steps");
  // The factor 2 leaves room: a window is a token longer than its sequence, and batches are made ahead.
  require(product_fits({effective_batch_size, max_seq_length, max_steps, 2}), "effective_batch_size",
          fmt::format("{} x max_seq_length {} x max_steps {} are more tokens than 64 bits can count",
                      effective_batch_size, max_seq_length, max_steps),
          "lower one of the three");
  require(min_lr >= 0 && min_lr <= learning_rate, "min_lr", "must be between 0 and learning_rate",
          "the plan takes 10 % of the peak");
  positive(save_steps, "save_steps");
  positive(eval_steps, "eval_steps");
  positive(logging_steps, "logging_steps");
  require(!output_dir.empty(), "output_dir", "is missing", "");
  not_negative(static_cast<double>(num_workers), "num_workers");
  require(num_workers <= 256, "num_workers", fmt::format("{} are too many threads", num_workers), "8 is plenty");
  positive(prefetch_factor, "prefetch_factor");
  require(prefetch_factor <= 1024, "prefetch_factor", fmt::format("{} batches ahead are too many", prefetch_factor),
          "4 is plenty");
  require(persistent_workers || num_workers == 0, "persistent_workers", "false is not supported",
          "set it to true, or num_workers to 0");
}

void TrainingConfig::validate(const Require& require) const {
  require(seed >= 0, "seed", "must not be negative", "");
  require_device_name(require, device);
  require(!wandb.enabled || !wandb.project.empty(), "wandb.project", "is missing", "set it, or wandb.enabled to false");
}

}  // namespace bench::harness
