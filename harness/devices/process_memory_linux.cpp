#include "harness/devices/backends.h"
#include "harness/devices/control_group.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <string>

namespace bench::harness {
namespace {

/// The value of a line "Name:   123 kB" of a file under /proc, in bytes; 0 when there is none.
std::int64_t proc_bytes(const char* file, const std::string& name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.rfind(name + ":", 0) == 0) return std::stoll(line.substr(name.size() + 1)) * 1024;
  return 0;
}

}  // namespace

void use_huge_pages() { setenv("THP_MEM_ALLOC_ENABLE", "1", /*overwrite=*/0); }  // LibTorch's own switch

// Not getrusage: its maximum outlives exec, so a child would report its parent's peak.
std::int64_t peak_resident_bytes() { return proc_bytes("/proc/self/status", "VmHWM"); }

std::int64_t current_resident_bytes() { return proc_bytes("/proc/self/status", "VmRSS"); }

std::int64_t available_memory_bytes() {
  const auto of_machine = static_cast<double>(proc_bytes("/proc/meminfo", "MemAvailable"));
  return static_cast<std::int64_t>(std::min(of_machine, control_group_limits().memory_bytes));
}

}  // namespace bench::harness
