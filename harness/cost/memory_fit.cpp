#include "harness/cost/memory_fit.h"

#include "harness/core/error.h"

#include <algorithm>

#include <fmt/format.h>

namespace bench::harness {
namespace {

/// The fastest division of those whose memory fits.
std::optional<StepDivision> fastest_division(const model::ModelConfig& model, TrainingShape shape,
                                             std::int64_t effective_batch,
                                             const std::function<bool(const MemoryEstimate&)>& fits) {
  for (const bool checkpointing : {false, true})
    for (std::int64_t micro = effective_batch; micro >= 1; --micro) {
      if (effective_batch % micro != 0) continue;
      shape.batch = micro;
      shape.gradient_checkpointing = checkpointing;
      if (fits(estimate_training_memory(model, shape))) return StepDivision{micro, checkpointing};
    }
  return {};
}

/// The least memory that training takes in any division.
MemoryEstimate least_memory(const model::ModelConfig& model, TrainingShape shape) {
  shape.batch = 1;
  shape.gradient_checkpointing = true;
  MemoryEstimate least = estimate_training_memory(model, shape);
  least.pools = least.least_pools;
  return least;
}

}  // namespace

void check_divides(std::int64_t micro_batch_size, std::int64_t effective_batch, const std::string& where) {
  if (effective_batch % micro_batch_size != 0)
    throw Error(where, fmt::format("{} does not divide the effective batch of {}", micro_batch_size, effective_batch),
                "the effective batch defines the optimisation and is kept");
}

StepDivision divide_step(const model::ModelConfig& model, const TrainingShape& shape, std::int64_t effective_batch,
                         const MicroBatch& micro_batch, const FreeMemory& free, const std::string& where) {
  if (!micro_batch.size.automatic) {
    const std::int64_t size = micro_batch.size.count > 0 ? micro_batch.size.count : shape.batch;
    check_divides(size, effective_batch, where);
    return {size, shape.gradient_checkpointing};
  }
  if (!shape.program_missing.empty())
    throw Error::at_run_time(
        where,
        fmt::format("auto takes what fits, but what the program itself holds could not be read: {}",
                    shape.program_missing),
        "give the number of sequences");
  const double budget = micro_batch.budget_bytes > 0 ? micro_batch.budget_bytes : free.bytes;
  if (std::isnan(budget))
    throw Error::at_run_time(where,
                             fmt::format("auto takes what fits, but free memory could not be read: {}", free.missing),
                             fmt::format("give {}", micro_batch.budget_key));
  if (const auto choice = fastest_within(budget, model, shape, effective_batch)) return *choice;
  throw Error::at_run_time(
      where,
      fmt::format("nothing fits {:.1f} GB: one sequence of {} tokens with recomputed activations needs {}",
                  budget / 1e9, shape.seq_length, least_memory(model, shape).text()),
      fmt::format("a larger {}, or shorter sequences", micro_batch.budget_key));
}

std::optional<StepDivision> fastest_within(double budget_bytes, const model::ModelConfig& model,
                                           const TrainingShape& shape, std::int64_t effective_batch) {
  // Resident memory is more than what LibTorch allocates, by the workspace of its products and the holes of the
  // allocator. The measured excess was 1.6 to 4.1 % (results/README.md), and suites/training.yaml holds the prediction
  // to this bound. With heaps, the pools of the estimate are that excess.
  const double margin = shape.heap_bytes > 0 ? 1 : 1.05;
  const auto fastest = [&](double (MemoryEstimate::*bytes)() const) {
    return fastest_division(model, shape, effective_batch,
                            [&](const MemoryEstimate& memory) { return margin * (memory.*bytes)() <= budget_bytes; });
  };
  if (const auto roomy = fastest(&MemoryEstimate::total)) return roomy;
  return fastest(&MemoryEstimate::least_total);
}

std::int64_t largest_within(double budget_bytes, std::int64_t limit, const std::function<double(std::int64_t)>& bytes) {
  std::int64_t fits = 0, fails = limit + 1;
  while (fails - fits > 1) {
    const std::int64_t middle = fits + (fails - fits) / 2;
    (bytes(middle) <= budget_bytes ? fits : fails) = middle;
  }
  return fits;
}

MemoryCalibration fit_calibration(const std::vector<MemoryPoint>& points) {
  MemoryCalibration result;
  if (points.empty()) return result;
  const auto n = static_cast<double>(points.size());
  double tokens = 0, missing = 0, squares = 0, products = 0, most = -INFINITY;
  result.lowest = INFINITY, result.highest = -INFINITY;
  for (const auto& p : points) {
    tokens += p.tokens / n;
    missing += (p.measured_bytes - p.predicted_bytes) / n;
    most = std::max(most, p.measured_bytes - p.predicted_bytes);
    result.lowest = std::min(result.lowest, p.predicted_bytes / p.measured_bytes - 1);
    result.highest = std::max(result.highest, p.predicted_bytes / p.measured_bytes - 1);
  }
  for (const auto& p : points) {
    squares += (p.tokens - tokens) * (p.tokens - tokens);
    products += (p.tokens - tokens) * (p.measured_bytes - p.predicted_bytes - missing);
  }
  const double slope = squares > 0 ? products / squares : 0;
  result.bytes_per_token = std::max(slope, 0.0);
  result.offset_bytes = slope > 0 ? missing - slope * tokens : most;
  return result;
}

}  // namespace bench::harness
