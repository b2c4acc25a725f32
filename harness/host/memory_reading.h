#pragma once

#include <cstdint>
#include <string>

namespace bench::harness {

/// A number of bytes that the system told, or the reason why it could not be read. So an unreadable value is never
/// mistaken for 0.
struct MemoryReading {
  std::int64_t bytes = 0;  // only where `missing` is empty
  std::string missing;     // "no VmHWM in /proc/self/status"

  static MemoryReading unread(std::string why) { return {0, std::move(why)}; }
  explicit operator bool() const { return missing.empty(); }
};

}  // namespace bench::harness
