#include "harness/host/waiting.h"

#include <cstdlib>
#include <unistd.h>

namespace bench::harness {

static constexpr const char* kSetHere = "BENCH_SET_GOMP_SPINCOUNT";

// By itself GNU's runtime spins 300,000 times before it sleeps, some milliseconds. Where others have a core, the thread
// that is waited for isn't running, and the one that spins keeps it from running. 1,000 is what the runtime itself
// takes when it has more threads than processors.
void wait_shortly(bool computes_here, char** arguments) {
  if (waiting_policy() != "default") return;
  ::setenv("GOMP_SPINCOUNT", "1000", /*overwrite=*/1);
  ::setenv(kSetHere, "1", /*overwrite=*/1);
  if (computes_here) ::execv("/proc/self/exe", arguments);  // where it can't begin anew, it goes on as it is
}

std::vector<std::string> waiting_variables() {
  if (!std::getenv(kSetHere)) return {};
  return {"GOMP_SPINCOUNT", kSetHere};
}

}  // namespace bench::harness
