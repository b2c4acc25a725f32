#pragma once

#include "harness/devices/device.h"
#include "harness/training/training_config.h"

#include <cstdint>
#include <string>

#include <c10/core/ScalarType.h>

namespace bench::harness {

/// How an optimizer step is executed. These settings never change which gradient is computed. They change only
/// rounding, time and memory. With dropout, another micro-batch size also drops other numbers.
struct Execution {
  std::int64_t micro_batch_size = 0;  // sequences of one forward and backward pass; 0: the config's batch_size
  bool gradient_checkpointing = false;
  c10::ScalarType compute = c10::kFloat;
  bool fused = true;
};

/// The execution that a config asks for, on a device. Throws Error at `where` if micro_batch_size doesn't divide the
/// effective batch.
Execution execution_for(const TrainingConfig& config, const Device& device, std::int64_t micro_batch_size,
                        const std::string& where);

}  // namespace bench::harness
