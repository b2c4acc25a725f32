#pragma once

#include "harness/host/memory_reading.h"

#include <filesystem>
#include <limits>
#include <string>

namespace bench::harness {

/// What the control groups that this process is in leave it: a container's limits, which neither the processors that
/// it may run on nor the machine's free memory tell. Infinite where there is no limit.
struct ControlGroupLimits {
  double processors = std::numeric_limits<double>::infinity();    // of which it may use all time
  double memory_bytes = std::numeric_limits<double>::infinity();  // that it may still take
  std::string memory_missing;  // a limit of memory whose use could not be read: how much is left is not known then
};

/// Of Linux, versions 1 and 2; elsewhere there is nothing to read. `mount` is where the groups' file system is mounted,
/// `membership` says which groups the process is in.
ControlGroupLimits control_group_limits(const std::filesystem::path& mount = "/sys/fs/cgroup",
                                        const std::filesystem::path& membership = "/proc/self/cgroup");

/// What a machine has free, as far as the control groups leave it.
MemoryReading within(const ControlGroupLimits& limits, const MemoryReading& free_on_machine);

}  // namespace bench::harness
