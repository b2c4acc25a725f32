#include "harness/host/waiting.h"

#include <cstdlib>

#include <fmt/format.h>

namespace bench::harness {

std::string waiting_policy() {
  for (const char* name : {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"})
    if (const char* value = std::getenv(name)) return fmt::format("{}={}", name, value);
  return "default";
}

}  // namespace bench::harness
