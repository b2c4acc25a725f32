#include "harness/core/clock.h"

#include <fmt/chrono.h>

namespace bench::harness {

std::string utc_timestamp() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(std::chrono::system_clock::now())));
}

}  // namespace bench::harness
