#pragma once

#include "harness/training/trainer.h"
#include "model/config.h"

namespace bench::harness {

/// About how many bytes an optimizer step holds at its peak, by component: enough to refuse a plan that can't fit.
struct MemoryEstimate {
  double weights = 0, gradients = 0, optimizer = 0, activations = 0, logits = 0;
  double total() const { return weights + gradients + optimizer + activations + logits; }
  /// "26.1 GB: weights 1.6, gradients 1.6, ..."
  std::string text() const;
};

MemoryEstimate estimate_training_memory(const model::ModelConfig& model, const Execution& execution,
                                        std::int64_t seq_length);

/// Throws Error if the estimate exceeds what the device has free, or a tensor what the device can index.
void check_training_fits(const model::ModelConfig& model, const Execution& execution, std::int64_t seq_length,
                         const Device& device);

}  // namespace bench::harness
