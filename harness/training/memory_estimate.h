#pragma once

#include "harness/memory_profile.h"
#include "harness/training/trainer.h"

#include <optional>
#include <string>

namespace bench::harness {

/// What an execution asks of memory. With a device: its ways of keeping things, and what this process holds on it now
/// as the program's own share, so ask before the model is made.
TrainingShape training_shape(const Execution& execution, std::int64_t seq_length, const Device* device = nullptr);

/// The peak of training so, predicted by component.
MemoryEstimate estimate_training_memory(const model::ModelConfig& model, const Execution& execution,
                                        std::int64_t seq_length, const Device* device = nullptr);

/// Why training so can't work on the device ("needs about 26.1 GB (...), 20.1 GB are free on cpu"), or nothing: its
/// estimate exceeds what is free, or a tensor what the device can index.
std::optional<std::string> why_training_does_not_fit(const model::ModelConfig& model, const Execution& execution,
                                                     std::int64_t seq_length, const Device& device);

/// Throws Error for that reason, if there is one.
void check_training_fits(const model::ModelConfig& model, const Execution& execution, std::int64_t seq_length,
                         const Device& device);

}  // namespace bench::harness
