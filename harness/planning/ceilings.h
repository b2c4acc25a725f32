#pragma once

#include "harness/cost/ceilings.h"
#include "harness/devices/device.h"
#include "harness/host/machine.h"

namespace bench::harness {

/// By what is written about a machine.
Ceilings ceilings_of(const Machine& machine);
/// Of this very machine, by what it does at this moment.
Ceilings probe_ceilings(const Device& device);

}  // namespace bench::harness
