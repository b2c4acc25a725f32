#include "harness/host/waiting.h"

namespace bench::harness {

// LLVM's runtime yields its core while it waits if there are more threads than cores. No Mac was at hand to measure
// more.
void wait_shortly(bool, char**) {}

std::vector<std::string> waiting_variables() { return {}; }

}  // namespace bench::harness
