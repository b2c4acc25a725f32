#pragma once

#include <filesystem>
#include <limits>

namespace bench::harness {

/// What the control groups that this process is in leave it: a container's limits, which neither the processors that
/// it may run on nor the machine's free memory tell. Infinite where there is no limit.
struct ControlGroupLimits {
  double processors = std::numeric_limits<double>::infinity();    // of which it may use all time
  double memory_bytes = std::numeric_limits<double>::infinity();  // that it may still take
};

/// Of Linux, versions 1 and 2; elsewhere there is nothing to read. `mount` is where the groups' file system is mounted,
/// `membership` says which groups the process is in.
ControlGroupLimits control_group_limits(const std::filesystem::path& mount = "/sys/fs/cgroup",
                                        const std::filesystem::path& membership = "/proc/self/cgroup");

}  // namespace bench::harness
