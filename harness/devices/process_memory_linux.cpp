#include "harness/devices/backends.h"

#include <cstdlib>
#include <fstream>
#include <malloc.h>
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

void give_back_freed_tensors() {
  // Tensors of 2 MB and more on huge pages, LibTorch's own switch: one page fault instead of 512.
  setenv("THP_MEM_ALLOC_ENABLE", "1", /*overwrite=*/0);
#ifdef __GLIBC__
  constexpr int kOwnMapping = 1 << 20;  // from this size on; and the threshold no longer grows by itself
  mallopt(M_MMAP_THRESHOLD, kOwnMapping);
#endif
}

// Not getrusage: its maximum outlives exec, so a child would report its parent's peak.
std::int64_t peak_resident_bytes() { return proc_bytes("/proc/self/status", "VmHWM"); }

std::int64_t current_resident_bytes() { return proc_bytes("/proc/self/status", "VmRSS"); }

std::int64_t available_memory_bytes() { return proc_bytes("/proc/meminfo", "MemAvailable"); }

}  // namespace bench::harness
