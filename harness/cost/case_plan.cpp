#include "harness/cost/case_plan.h"

#include "harness/cost/launches.h"

#include <algorithm>

namespace bench::harness {

void bound_time(const Ceilings& ceilings, CasePlan& plan) {
  const double compute_s = plan.flops / ceilings.matmul(plan.dtype).rate, read_s = plan.bytes / ceilings.read.rate;
  plan.bound_by_memory = read_s > compute_s;
  plan.seconds = std::max(compute_s, read_s);
}

void plan_forward(const ForwardWork& work, const Ceilings& ceilings, CasePlan& plan) {
  plan.flops = work.flops;
  plan.bytes = work.bytes();
  plan.weight_bytes = work.weight_bytes;
  plan.kv_bytes = work.kv_bytes;
  bound_time(ceilings, plan);
}

void plan_decode_launches(const model::ModelConfig& model, const Ceilings& ceilings, CasePlan& plan) {
  if (!ceilings.launch) return;
  const DecodeLaunches launches = decode_launches(model);
  const double share = ceilings.read_share > 0 ? ceilings.read_share : 1;
  LikelyTime& likely = plan.likely.emplace();
  likely.launches_with_operators = static_cast<double>(launches.with_operators);
  likely.launches =
      ceilings.device_kernels ? static_cast<double>(launches.with_kernels) : likely.launches_with_operators;
  likely.work_s = std::max(plan.flops / ceilings.matmul(plan.dtype).rate, plan.bytes / (share * ceilings.read.rate));
  const auto seconds = [&](const LaunchCost& cost) { return likely.launches * cost.seconds + likely.work_s; };
  likely.fast_s = seconds(ceilings.launch->low);
  likely.likely_s = seconds(ceilings.launch->likely);
  likely.slow_s = seconds(ceilings.launch->high);
  likely.bound_by_launches = likely.likely_s > 2 * likely.work_s;
}

}  // namespace bench::harness
