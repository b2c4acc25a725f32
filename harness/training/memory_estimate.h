#pragma once

#include "harness/cost/memory_fit.h"
#include "harness/training/execution.h"

#include <optional>
#include <string>

namespace bench::harness {

/// What an execution asks of memory. With a device: its ways of keeping things, and what this process holds on it now
/// as the program's own share, so ask before the model is made. Where the system doesn't tell that, estimates of the
/// shape leave it out and say so.
TrainingShape training_shape(const Execution& execution, std::int64_t seq_length, const Device* device = nullptr);

/// The peak of training so, predicted by component.
MemoryEstimate estimate_training_memory(const model::ModelConfig& model, const Execution& execution,
                                        std::int64_t seq_length, const Device* device = nullptr);

/// The execution that a config asks for, or with `auto` the fastest that fits the budget: then gradient_checkpointing
/// is chosen as well. Throws Error at `where` as divide_step does.
Execution choose_execution(const model::ModelConfig& model, const TrainingConfig& config, const MicroBatch& micro_batch,
                           const Device& device, const std::string& where);

/// Why what is estimated can't work on the device ("needs about 26.1 GB (...), 20.1 GB are free on cpu"), or nothing:
/// it fits, or nobody knows (why_fit_is_unknown).
std::optional<std::string> why_not_enough_memory(const MemoryEstimate& needed, const Device& device);

/// Why nobody knows whether anything fits, or nothing: the system doesn't tell how much memory is free.
std::optional<std::string> why_fit_is_unknown(const Device& device);

/// Why training so can't work on the device ("needs about 26.1 GB (...), 20.1 GB are free on cpu"), or nothing: its
/// estimate exceeds what is free, or a tensor what the device can index.
std::optional<std::string> why_training_does_not_fit(const model::ModelConfig& model, const Execution& execution,
                                                     std::int64_t seq_length, const Device& device);

/// Throws Error for that reason, if there is one; prints a line if nobody knows.
void check_training_fits(const model::ModelConfig& model, const Execution& execution, std::int64_t seq_length,
                         const Device& device);

}  // namespace bench::harness
