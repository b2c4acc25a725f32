#include "harness/host/waiting.h"

#include <cstdlib>
#include <unistd.h>

namespace bench::harness {

static constexpr const char* kSetHere = "BENCH_SET_GOMP_SPINCOUNT";

// By default GNU's runtime spins 300,000 times before it sleeps, which takes some milliseconds. Where other programs
// use the cores, the thread that is waited for may not be running, and a spinning thread keeps it from running. 1,000
// is what the runtime itself uses when it has more threads than processors.
void wait_shortly(bool computes_here, char** arguments) {
  if (waiting_policy() != "default") return;
  ::setenv("GOMP_SPINCOUNT", "1000", /*overwrite=*/1);
  ::setenv(kSetHere, "1", /*overwrite=*/1);
  if (computes_here) ::execv("/proc/self/exe", arguments);  // if this fails, the process goes on as it is
}

std::vector<std::string> waiting_variables() {
  if (!std::getenv(kSetHere)) return {};
  return {"GOMP_SPINCOUNT", kSetHere};
}

}  // namespace bench::harness
