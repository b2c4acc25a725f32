#include "harness/devices/backends.h"
#include "harness/host/control_group.h"
#include "harness/host/proc_files.h"

#include <algorithm>
#include <cstdlib>

namespace bench::harness {

void use_huge_pages() { setenv("THP_MEM_ALLOC_ENABLE", "1", /*overwrite=*/0); }  // LibTorch's own switch

// Not getrusage: its maximum survives exec, so a child would report its parent's peak.
MemoryReading peak_process_bytes() { return proc_memory("/proc/self/status", "VmHWM"); }

MemoryReading current_process_bytes() { return proc_memory("/proc/self/status", "VmRSS"); }

MemoryReading available_memory_bytes() {
  return within(control_group_limits(), proc_memory("/proc/meminfo", "MemAvailable"));
}

}  // namespace bench::harness
