#pragma once

#include "harness/cost/memory_fit.h"
#include "harness/training/execution.h"

#include <optional>
#include <string>

namespace bench::harness {

/// What an execution asks of memory. With a device, the shape also says how that device keeps things, and how much this
/// process holds on it now: the program's own share. So call this before the model is made. If the system doesn't tell
/// what the process holds, estimates of the shape leave it out and say so.
TrainingShape training_shape(const Execution& execution, std::int64_t seq_length, const Device* device = nullptr);

/// Predicts the peak memory of training with this execution, by component.
MemoryEstimate estimate_training_memory(const model::ModelConfig& model, const Execution& execution,
                                        std::int64_t seq_length, const Device* device = nullptr);

/// The execution that a config asks for, or, if `micro_batch` is `auto`, the fastest one that fits the budget. With
/// `auto`, gradient_checkpointing is chosen as well. Throws Error at `where` as divide_step does.
Execution choose_execution(const model::ModelConfig& model, const TrainingConfig& config, const MicroBatch& micro_batch,
                           const Device& device, const std::string& where);

/// Why work with this estimate can't run on the device, with an allocator's heaps as full as they can be ("needs
/// about 26.1 GB (...), 20.1 GB are free on cpu"). Returns nothing if it fits, or if nobody knows whether it fits
/// (why_fit_is_unknown).
std::optional<std::string> why_not_enough_memory(const MemoryEstimate& needed, const Device& device);

/// Why nobody knows whether anything fits: the system doesn't tell how much memory is free. Returns nothing if it does.
std::optional<std::string> why_fit_is_unknown(const Device& device);

/// Why training with this execution can't run on the device ("needs about 26.1 GB (...), 20.1 GB are free on cpu"): its
/// estimate exceeds the free memory, or a tensor exceeds what the device can index. Otherwise returns nothing.
std::optional<std::string> why_training_does_not_fit(const model::ModelConfig& model, const Execution& execution,
                                                     std::int64_t seq_length, const Device& device);

/// Throws Error with the reason of why_training_does_not_fit, if there is one. Prints a line if nobody knows whether
/// training fits.
void check_training_fits(const model::ModelConfig& model, const Execution& execution, std::int64_t seq_length,
                         const Device& device);

}  // namespace bench::harness
