#include "harness/cost/case_plan.h"

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

}  // namespace bench::harness
