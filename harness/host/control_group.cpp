#include "harness/host/control_group.h"

#include "harness/core/numbers.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace bench::harness {
namespace {

namespace fs = std::filesystem;
constexpr double kNone = std::numeric_limits<double>::infinity();

/// The numbers at the beginning of a file. "max" and -1 mean no limit.
struct Numbers {
  double first = kNone, second = kNone;
};
Numbers numbers_in(const fs::path& file) {
  const auto number = [](const std::string& text) {
    const auto found = leading_number(text);
    return found && found->value >= 0 ? found->value : kNone;
  };
  std::ifstream in(file);
  std::string first, second;
  in >> first >> second;
  return {number(first), number(second)};
}

/// The number behind `name` in a file whose lines are names and numbers.
std::optional<double> number_named(const fs::path& file, const std::string& name) {
  std::ifstream in(file);
  std::string key;
  for (double value = 0; in >> key >> value;)
    if (key == name) return value;
  return {};
}

/// Lowers the limit to what a group has left. Inactive pages of files don't count as used, since the system gives them
/// up when memory is asked for.
void add_memory_limit(const fs::path& most_file, const fs::path& used_file, const char* inactive_files,
                      ControlGroupLimits& limits) {
  const double most = numbers_in(most_file).first, used = numbers_in(used_file).first;
  constexpr double kUnlimited = 0x1p62;  // version 1 writes a number near 2^63 for no limit
  if (most >= kUnlimited) return;
  const auto stat = most_file.parent_path() / "memory.stat";
  const auto inactive = number_named(stat, inactive_files);
  if (used == kNone) limits.memory_missing = "no number in " + used_file.string();
  if (!inactive) limits.memory_missing = "no " + std::string(inactive_files) + " in " + stat.string();
  if (used == kNone || !inactive) return;
  limits.memory_bytes = std::min(limits.memory_bytes, std::max(0.0, most - std::max(0.0, used - *inactive)));
}

void add_processors(double quota, double period, ControlGroupLimits& limits) {
  if (quota != kNone && period != kNone && period > 0) limits.processors = std::min(limits.processors, quota / period);
}

void add_limits_of(const fs::path& group, ControlGroupLimits& limits) {
  const Numbers v2 = numbers_in(group / "cpu.max");  // quota and period
  add_processors(v2.first, v2.second, limits);
  add_processors(numbers_in(group / "cpu.cfs_quota_us").first, numbers_in(group / "cpu.cfs_period_us").first, limits);
  add_memory_limit(group / "memory.max", group / "memory.current", "inactive_file", limits);
  add_memory_limit(group / "memory.limit_in_bytes", group / "memory.usage_in_bytes", "total_inactive_file", limits);
}

}  // namespace

ControlGroupLimits control_group_limits(const fs::path& mount, const fs::path& membership) {
  ControlGroupLimits limits;
  std::ifstream in(membership);
  for (std::string line; std::getline(in, line);) {  // "0::/path" or "4:memory:/path"
    std::istringstream parts(line);
    std::string number, controllers, path;
    std::getline(parts, number, ':'), std::getline(parts, controllers, ':'), std::getline(parts, path);
    const fs::path root = controllers.empty() ? mount : mount / controllers;
    // A group is also bound by the groups around it. In a container the path may be one that only the host sees.
    for (fs::path inner = fs::path(path).relative_path();; inner = inner.parent_path()) {
      add_limits_of(root / inner, limits);
      if (inner.empty()) break;
    }
  }
  return limits;
}

MemoryReading within(const ControlGroupLimits& limits, const MemoryReading& free_on_machine) {
  if (!free_on_machine) return free_on_machine;
  if (!limits.memory_missing.empty()) return MemoryReading::unread(limits.memory_missing);
  const double least = std::min(static_cast<double>(free_on_machine.bytes), limits.memory_bytes);
  return {static_cast<std::int64_t>(least), ""};
}

}  // namespace bench::harness
