#pragma once

#include "harness/host/memory_reading.h"

#include <filesystem>
#include <limits>
#include <string>

namespace bench::harness {

/// What this process's control groups leave to it: a container's limits. Neither the number of processors that the
/// process may run on nor the machine's free memory shows these limits. Infinite where there is no limit.
struct ControlGroupLimits {
  double processors = std::numeric_limits<double>::infinity();    // how many it may use all the time
  double memory_bytes = std::numeric_limits<double>::infinity();  // how much it may still take
  std::string memory_missing;  // why it is not known how much is left: there is a limit, but not its use
};

/// Reads the control groups of Linux, versions 1 and 2; other systems have none to read. `mount` is where the groups'
/// file system is mounted, `membership` says which groups the process is in.
ControlGroupLimits control_group_limits(const std::filesystem::path& mount = "/sys/fs/cgroup",
                                        const std::filesystem::path& membership = "/proc/self/cgroup");

/// The memory that is free on the machine, as far as the control groups leave it to this process.
MemoryReading within(const ControlGroupLimits& limits, const MemoryReading& free_on_machine);

}  // namespace bench::harness
