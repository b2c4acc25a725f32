#pragma once

#include "harness/training/training_config.h"

namespace bench::harness {

/// The learning rate of optimizer step `step` (from 0). It rises linearly from 0 over warmup_steps. Then it falls as a
/// half cosine to min_lr at max_steps, or stays constant. The first step already has a rate above 0.
double learning_rate(const TrainConfig& config, std::int64_t step);

}  // namespace bench::harness
