#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace bench::harness {

/// A number of bytes that the system told, or what kept it from telling. What could not be read is never 0.
struct MemoryReading {
  std::int64_t bytes = 0;  // only where `missing` is empty
  std::string missing;     // "no VmHWM in /proc/self/status"

  static MemoryReading unread(std::string why) { return {0, std::move(why)}; }
  explicit operator bool() const { return missing.empty(); }
};

/// The line "NAME:   123 kB" of a file as Linux has them under /proc, in bytes. Some sandboxes leave lines out. A value
/// of 0, which no process and no machine has of any of them, is none.
MemoryReading proc_memory(const std::filesystem::path& file, const std::string& name);

}  // namespace bench::harness
