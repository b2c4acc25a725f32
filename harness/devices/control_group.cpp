#include "harness/devices/control_group.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace bench::harness {
namespace {

namespace fs = std::filesystem;
constexpr double kNone = std::numeric_limits<double>::infinity();

/// The numbers at the beginning of a file; "max" and -1 are no limit.
struct Numbers {
  double first = kNone, second = kNone;
};
Numbers numbers_in(const fs::path& file) {
  const auto number = [](const std::string& text) {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    return end == text.c_str() || value < 0 ? kNone : value;
  };
  std::ifstream in(file);
  std::string first, second;
  in >> first >> second;
  return {number(first), number(second)};
}

/// The number behind `name` in a file of such lines; 0 without one.
double number_named(const fs::path& file, const std::string& name) {
  std::ifstream in(file);
  std::string key;
  for (double value = 0; in >> key >> value;)
    if (key == name) return value;
  return 0;
}

/// Pages of files are given up when memory is asked for.
double memory_left(double limit, double used, double inactive_files) {
  return std::max(0.0, limit - std::max(0.0, used - inactive_files));
}

void add_limits_of(const fs::path& group, ControlGroupLimits& limits) {
  const Numbers v2 = numbers_in(group / "cpu.max");  // quota and period
  limits.processors = std::min(limits.processors, v2.first / v2.second);
  const double quota = numbers_in(group / "cpu.cfs_quota_us").first;
  if (quota != kNone)
    limits.processors = std::min(limits.processors, quota / numbers_in(group / "cpu.cfs_period_us").first);
  if (const double most = numbers_in(group / "memory.max").first; most != kNone)
    limits.memory_bytes =
        std::min(limits.memory_bytes, memory_left(most, numbers_in(group / "memory.current").first,
                                                  number_named(group / "memory.stat", "inactive_file")));
  if (const double most = numbers_in(group / "memory.limit_in_bytes").first; most != kNone)
    limits.memory_bytes =
        std::min(limits.memory_bytes, memory_left(most, numbers_in(group / "memory.usage_in_bytes").first,
                                                  number_named(group / "memory.stat", "total_inactive_file")));
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
    // Each group is bound by those around it. In a container the path may be one that only its host sees.
    for (fs::path inner = fs::path(path).relative_path();; inner = inner.parent_path()) {
      add_limits_of(root / inner, limits);
      if (inner.empty()) break;
    }
  }
  return limits;
}

}  // namespace bench::harness
