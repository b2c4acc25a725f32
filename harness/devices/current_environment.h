#pragma once

#include "harness/host/environment.h"

namespace bench::harness {

/// Asks the machine, LibTorch and the devices. Takes milliseconds.
Environment current_environment();

}  // namespace bench::harness
