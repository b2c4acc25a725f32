#pragma once

#include "harness/devices/device.h"
#include "harness/training/execution.h"
#include "harness/training/training_config.h"

#include <cstdint>
#include <exception>
#include <functional>
#include <optional>
#include <string>

namespace bench::harness {

/// Whether work failed because there was no memory for a tensor, on whichever device. LibTorch has a class for it that
/// not all of its allocators throw; the others are known by their messages.
bool is_out_of_memory(const std::exception& error);

/// The largest number below `size` that divides the effective batch, or nothing if `size` is 1.
std::optional<std::int64_t> smaller_micro_batch(std::int64_t size, std::int64_t effective_batch);

/// The execution with which training fitted. `note` is empty if it was the one asked for; otherwise it says
/// "micro-batch 8 x 2048 did not fit (why); 4 was used".
struct FittedExecution {
  Execution execution;
  std::string note;
};

/// Trains by `attempt`. If memory runs out, tries again with the next smaller micro-batch, and prints that it does.
/// Only where no optimizer step was made: from its first step on, a run keeps its micro-batch, since another one rounds
/// differently. `attempt` sets `begun` when a step was made, or before if it must not be tried again. When it fails it
/// must free all that it holds. Throws Error if memory runs out later, or at a micro-batch of 1.
FittedExecution train_within_memory(const Execution& execution, const TrainConfig& config, const Device& device,
                                    const std::function<void(const Execution&, bool& begun)>& attempt);

}  // namespace bench::harness
