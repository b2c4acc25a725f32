#pragma once

#include "harness/core/fields.h"
#include "harness/cost/memory_profile.h"

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace bench::harness {

/// How the sequences of a step are divided, as somebody asks for it.
struct MicroBatch {
  CountOrAuto size = {};                        // 0: the config's batch_size
  double budget_bytes = 0;                      // of auto; 0: what is free on the device
  const char* budget_key = "memory_budget_gb";  // as the user gives it, for errors
};

/// How they are divided.
struct StepDivision {
  std::int64_t micro_batch_size = 1;
  bool gradient_checkpointing = false;
};

/// Memory that a program may take, in bytes; NaN where nobody knows, and why.
struct FreeMemory {
  double bytes = std::numeric_limits<double>::quiet_NaN();
  std::string missing;
};

/// Throws Error at `where` if micro-batches of that size don't make up the effective batch.
void check_divides(std::int64_t micro_batch_size, std::int64_t effective_batch, const std::string& where);

/// Decides the micro-batch, for everything that trains, plans or predicts. `shape` has the config's batch_size and
/// gradient_checkpointing. A fixed size is taken as it is; of auto the fastest within its budget, or within what is
/// free, and gradient_checkpointing is chosen as well. Throws Error at `where` if the size doesn't divide the effective
/// batch, or of auto if nothing fits, if the shape lacks what the program holds, or if there is no budget and nobody
/// knows what is free.
StepDivision divide_step(const model::ModelConfig& model, const TrainingShape& shape, std::int64_t effective_batch,
                         const MicroBatch& micro_batch, const FreeMemory& free, const std::string& where);

/// The fastest way to make a step of `effective_batch` sequences within the budget: activations are kept rather than
/// made again if any micro-batch allows it, and among those that fit the largest micro-batch is taken. `shape` says the
/// rest. Nothing if not even a sequence at a time fits.
std::optional<StepDivision> fastest_within(double budget_bytes, const model::ModelConfig& model, TrainingShape shape,
                                           std::int64_t effective_batch);

/// The largest n in 1 .. limit for which bytes(n), which must not fall as n rises, stays within budget; 0 when none
/// does.
std::int64_t largest_within(double budget_bytes, std::int64_t limit, const std::function<double(std::int64_t)>& bytes);

/// One measured peak beside what was predicted for it.
struct MemoryPoint {
  double tokens = 0, measured_bytes = 0, predicted_bytes = 0;
};

/// What measurements say a prediction leaves out: a line in the tokens, never falling.
struct MemoryCalibration {
  double offset_bytes = 0, bytes_per_token = 0;
  double lowest = 0, highest = 0;  // predicted / measured - 1 over the points
  double apply(double predicted_bytes, double tokens) const {
    return predicted_bytes + offset_bytes + bytes_per_token * tokens;
  }
};
/// Least squares through the points; from one point, or where the line would fall, the largest difference. No points:
/// 0.
MemoryCalibration fit_calibration(const std::vector<MemoryPoint>& points);

}  // namespace bench::harness
