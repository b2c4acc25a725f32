#pragma once

#include "harness/host/memory_reading.h"

#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace bench::harness {

/// A process as the system describes it.
struct ProcessUse {
  pid_t id = 0;
  std::string name = {};
  MemoryReading resident = {};     // unread: the process is there, but the system doesn't tell
  double peak_resident_bytes = 0;  // 0 where the system doesn't tell that of other processes
};

/// All processes that `root` has started, and those that they have started, however deep. process_tree_linux.cpp,
/// process_tree_macos.cpp.
std::vector<ProcessUse> descendants(pid_t root);

/// What Linux tells about a process in its folder, /proc/ID. Returns nothing for a process that has ended.
/// process_tree_linux.cpp only.
std::optional<ProcessUse> read_process(const std::filesystem::path& folder, pid_t id);

/// From now on a process whose own starter has ended counts as started by this process, so that a program that forks
/// and leaves is still found. Only Linux can do that. On macOS such a process is not found: nothing there tells who
/// started it.
void adopt_orphans();

/// Ends everything that this process has started, however deep, and waits for it. Returns the name and process id of
/// each process that it had to end.
std::vector<std::string> end_descendants();

}  // namespace bench::harness
