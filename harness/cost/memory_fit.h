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

/// How the user asks for the sequences of a step to be divided.
struct MicroBatch {
  CountOrAuto size = {};                        // 0: the config's batch_size
  double budget_bytes = 0;                      // for auto; 0: what is free on the device
  const char* budget_key = "memory_budget_gb";  // as the user gives it, for errors
};

/// How the sequences of a step are divided.
struct StepDivision {
  std::int64_t micro_batch_size = 1;
  bool gradient_checkpointing = false;
};

/// The memory that a program may take, in bytes; NaN if it is not known, and `missing` says why.
struct FreeMemory {
  double bytes = std::numeric_limits<double>::quiet_NaN();
  std::string missing;
};

/// Throws Error at `where` unless micro-batches of that size add up to the effective batch.
void check_divides(std::int64_t micro_batch_size, std::int64_t effective_batch, const std::string& where);

/// Decides the micro-batch, for everything that trains, plans or predicts. `shape` has the config's batch_size and
/// gradient_checkpointing. A fixed size is taken as it is. For `auto`, the fastest division within the budget is chosen
/// (or within the free memory, if there is no budget), and gradient_checkpointing is chosen as well. Throws Error at
/// `where` if a fixed size doesn't divide the effective batch. For `auto`, throws Error at `where` if nothing fits, if
/// the memory that the program itself holds could not be read, or if there is no budget and the free memory is not
/// known.
StepDivision divide_step(const model::ModelConfig& model, const TrainingShape& shape, std::int64_t effective_batch,
                         const MicroBatch& micro_batch, const FreeMemory& free, const std::string& where);

/// The fastest way to make a step of `effective_batch` sequences within the budget. Activations are kept, rather than
/// computed again, if any micro-batch then fits; of those that fit, the largest micro-batch is taken. `shape` gives
/// everything else. If the device's allocator has heaps, the memory that counts is the likely one, total(). Where
/// nothing fits with it, it is the one with full heaps, least_total(): it may still be enough. Returns nothing if not
/// even then one sequence at a time fits.
std::optional<StepDivision> fastest_within(double budget_bytes, const model::ModelConfig& model,
                                           const TrainingShape& shape, std::int64_t effective_batch);

/// The largest n in 1 .. limit for which bytes(n) stays within the budget; 0 when none does. bytes(n) must not fall as
/// n rises.
std::int64_t largest_within(double budget_bytes, std::int64_t limit, const std::function<double(std::int64_t)>& bytes);

/// One measured peak, and what was predicted for it.
struct MemoryPoint {
  double tokens = 0, measured_bytes = 0, predicted_bytes = 0;
};

/// What a prediction leaves out, according to measurements: a linear function of the tokens that never falls.
struct MemoryCalibration {
  double offset_bytes = 0, bytes_per_token = 0;
  double lowest = 0, highest = 0;  // predicted / measured - 1 over the points
  double apply(double predicted_bytes, double tokens) const {
    return predicted_bytes + offset_bytes + bytes_per_token * tokens;
  }
};
/// Fits a line through the points by least squares. For one point, or where the line would fall, the result is the
/// largest difference instead. Without points everything is 0.
MemoryCalibration fit_calibration(const std::vector<MemoryPoint>& points);

}  // namespace bench::harness
