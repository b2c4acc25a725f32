#pragma once

#include "harness/cost/ceilings.h"
#include "harness/cost/forward_work.h"
#include "harness/cost/memory_profile.h"

#include <optional>
#include <string>

namespace bench::harness {

/// What the optimizer steps of a train case amount to.
struct TrainingPlan {
  double tokens_per_step = 0, max_steps = 0;
  double flops_without_attention = 0;  // of a step: 6 x parameters x tokens
  std::int64_t batch_size = 0, micro_batch_size = 0, accumulation_steps = 0,
               seq_length = 0;          // batch_size: the config's
  bool gradient_checkpointing = false;  // as the case runs it
  bool config_checkpointing = false;    // as the training config has it
  MemoryEstimate config_memory;         // at the config's own batch_size and gradient_checkpointing
};

/// How long a unit of work likely takes: its launches, one after the other, and the time of its work. Starting is not
/// assumed to overlap with work.
struct LikelyTime {
  double launches = 0, launches_with_operators = 0;  // as the device runs it; and without kernels of our own
  double work_s = 0;                                 // at the share of the bandwidth that programs get
  double fast_s = 0, likely_s = 0, slow_s = 0;       // at the low, likely and high cost of a launch
  bool bound_by_launches = false;                    // at the likely cost they take longer than the work
};

/// What one unit of a case's work (optimizer step, prompt, decode step) must cost.
struct CasePlan {
  std::string name, type, dtype;
  double parameters = 0, parameters_without_embedding = 0;
  double batch = 0, tokens = 0;           // sequences together; tokens of a unit
  double flops = 0, bytes = 0;            // of a unit, attention included; bytes: the least that is read and written
  double weight_bytes = 0, kv_bytes = 0;  // parts of a forward pass's bytes
  MemoryEstimate memory;
  double seconds = 0;                // least time of a unit
  bool bound_by_memory = false;      // reading takes longer than the matrix products
  std::optional<LikelyTime> likely;  // of a decode step, where the cost of a launch is known
  std::optional<TrainingPlan> training;
};

/// The number of bytes that one number of that dtype takes: fp32, bf16 or fp16.
inline std::int64_t element_bytes(const std::string& dtype) { return dtype == "fp32" ? 4 : 2; }

/// Sets the least time of a unit, from its arithmetic and its bytes.
void bound_time(const Ceilings& ceilings, CasePlan& plan);
/// Does the same for a unit that is a forward pass, whose work it fills in first.
void plan_forward(const ForwardWork& work, const Ceilings& ceilings, CasePlan& plan);

/// Sets the likely time of a decode step, from the launches of a token and from the work that plan_forward() filled in.
/// Does nothing where the cost of a launch is not known.
void plan_decode_launches(const model::ModelConfig& model, const Ceilings& ceilings, CasePlan& plan);

}  // namespace bench::harness
