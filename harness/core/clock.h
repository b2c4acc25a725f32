#pragma once

#include <chrono>
#include <string>

namespace bench::harness {

/// The time in seconds on a clock that never goes back. Only differences between two readings mean anything.
inline double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The current UTC time as 2026-11-24T09:30:00Z.
std::string utc_timestamp();

}  // namespace bench::harness
