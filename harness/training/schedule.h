#pragma once

#include "harness/training/training_config.h"

namespace bench::harness {

/// The learning rate of optimizer step `step` (from 0): linear from 0 over warmup_steps, then a half cosine down to
/// min_lr at max_steps, or constant. The first step already has a rate above 0.
double learning_rate(const TrainConfig& config, std::int64_t step);

}  // namespace bench::harness
