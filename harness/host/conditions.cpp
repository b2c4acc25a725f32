#include "harness/host/conditions.h"

#include "harness/host/resource_use.h"

#include <algorithm>
#include <ctime>
#include <stdlib.h>  // getloadavg, which <cstdlib> doesn't promise

namespace bench::harness {
namespace {

/// The processor time of programs that this process started and waited for: a case may consist of them.
double children_cpu_s() {
  rusage use{};
  return ::getrusage(RUSAGE_CHILDREN, &use) == 0 ? cpu_seconds(use) : 0;
}

}  // namespace

Conditions current_conditions() {
  Conditions c;
  double load[1] = {0};
  if (::getloadavg(load, 1) == 1) c.load_1min = load[0];
  if (const std::clock_t own = std::clock(); own >= 0)
    c.own_cpu_s = static_cast<double>(own) / CLOCKS_PER_SEC + children_cpu_s();
  read_host_conditions(c);
  return c;
}

Disturbance disturbance_between(const Conditions& before, const Conditions& after) {
  Disturbance found;
  if (before.swap_used_bytes >= 0 && after.swap_used_bytes >= 0)
    found.swap_growth_bytes = after.swap_used_bytes - before.swap_used_bytes;
  const double total = after.cpu_total_s - before.cpu_total_s;
  const bool told = before.cpu_total_s >= 0 && after.cpu_total_s >= 0 && before.own_cpu_s >= 0 && after.own_cpu_s >= 0;
  if (!told) return found;
  const bool tells_stolen = before.cpu_stolen_s >= 0 && after.cpu_stolen_s >= 0;
  if (total <= 0)  // no tick of the clock in between: nobody took anything
    return {tells_stolen ? 0 : found.stolen, 0, found.swap_growth_bytes};
  const double own = after.own_cpu_s - before.own_cpu_s, busy = after.cpu_busy_s - before.cpu_busy_s;
  if (tells_stolen) found.stolen = (after.cpu_stolen_s - before.cpu_stolen_s) / total;
  found.others = std::max(0.0, (busy - own) / total);
  return found;
}

}  // namespace bench::harness
