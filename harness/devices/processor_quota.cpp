#include "harness/devices/processor_quota.h"

#include "harness/host/control_group.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <ATen/Parallel.h>

namespace bench::harness {

void keep_to_processor_quota() {
  if (std::getenv("OMP_NUM_THREADS")) return;
  const double quota = control_group_limits().processors;
  if (std::isinf(quota)) return;
  at::set_num_threads(std::min(at::get_num_threads(), std::max(1, static_cast<int>(std::ceil(quota)))));
}

}  // namespace bench::harness
