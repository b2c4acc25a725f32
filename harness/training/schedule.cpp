#include "harness/training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace bench::harness {

double learning_rate(const TrainConfig& config, std::int64_t step) {
  const auto done = static_cast<double>(step + 1), warmup = static_cast<double>(config.warmup_steps);
  if (done < warmup) return config.learning_rate * done / warmup;
  if (config.lr_scheduler == "constant") return config.learning_rate;
  const double rest = std::max(static_cast<double>(config.max_steps) - warmup, 1.0);
  const double progress = std::clamp((done - warmup) / rest, 0.0, 1.0);
  return config.min_lr + (config.learning_rate - config.min_lr) * 0.5 * (1 + std::cos(std::numbers::pi * progress));
}

}  // namespace bench::harness
