#pragma once

#include <string>
#include <vector>

namespace bench::harness {

/// Makes OpenMP's threads wait for each other by a short spin and then asleep. That is right beside other programs and
/// costs nothing on a quiet machine; results/README.md has figures. If a user has set OMP_WAIT_POLICY, GOMP_SPINCOUNT
/// or KMP_BLOCKTIME, the setting is left alone. Programs that this one starts wait in the same way. The runtime reads
/// its setting when it is loaded, so with `computes_here` this process starts itself anew, once. So call this first in
/// main.
void wait_shortly(bool computes_here, char** arguments);

/// The environment variables that wait_shortly() set, here or in the program that started this one. A program that
/// isn't ours must be measured as its users run it, so it must be started without them.
std::vector<std::string> waiting_variables();

/// How this process's threads wait: "GOMP_SPINCOUNT=1000", or "default" when nothing is set.
std::string waiting_policy();

}  // namespace bench::harness
