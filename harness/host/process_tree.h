#pragma once

#include "harness/host/memory_reading.h"

#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace bench::harness {

/// A process as the system tells it.
struct ProcessUse {
  pid_t id = 0;
  std::string name = {};
  MemoryReading resident = {};     // unread: it is there, and the system doesn't tell
  double peak_resident_bytes = 0;  // 0 where the system tells none of another process
};

/// What a process has started, and what that has started, however deep. process_tree_linux.cpp, process_tree_macos.cpp.
std::vector<ProcessUse> descendants(pid_t root);

/// What Linux tells in a process's folder, /proc/ID; nothing of one that has ended. process_tree_linux.cpp only.
std::optional<ProcessUse> read_process(const std::filesystem::path& folder, pid_t id);

/// From now on a process whose own starter has ended counts as started by this one, where the system can do that
/// (Linux): so one that forks and leaves is still found. On macOS it is not: nothing there tells whose it was.
void adopt_orphans();

/// Ends everything that this process has started, however deep, and waits for it. Returns what it had to end: name and
/// process id.
std::vector<std::string> end_descendants();

}  // namespace bench::harness
