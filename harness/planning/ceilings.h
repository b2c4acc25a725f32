#pragma once

#include "harness/cost/ceilings.h"
#include "harness/devices/device.h"
#include "harness/host/machine.h"

namespace bench::harness {

/// The ceilings of a machine, from what is written about it.
Ceilings ceilings_of(const Machine& machine);
/// The ceilings of the machine at hand, from what it does at this moment.
Ceilings probe_ceilings(const Device& device);

}  // namespace bench::harness
