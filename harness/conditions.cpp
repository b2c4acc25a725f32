#include "harness/conditions.h"

#include <algorithm>
#include <ctime>
#include <stdlib.h>  // getloadavg, which <cstdlib> doesn't promise

namespace bench::harness {

Conditions current_conditions() {
  Conditions c;
  double load[1] = {0};
  if (::getloadavg(load, 1) == 1) c.load_1min = load[0];
  c.own_cpu_s = static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  read_host_conditions(c);
  return c;
}

Disturbance disturbance_between(const Conditions& before, const Conditions& after) {
  const double total = after.cpu_total_s - before.cpu_total_s;
  if (before.cpu_total_s < 0 || total <= 0) return {};
  const double own = after.own_cpu_s - before.own_cpu_s, busy = after.cpu_busy_s - before.cpu_busy_s;
  return {(after.cpu_stolen_s - before.cpu_stolen_s) / total, std::max(0.0, (busy - own) / total)};
}

}  // namespace bench::harness
