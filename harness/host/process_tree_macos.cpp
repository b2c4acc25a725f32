#include "harness/host/process_tree.h"

#include <cerrno>
#include <cstring>
#include <libproc.h>
#include <unistd.h>

namespace bench::harness {
namespace {

/// The processes with that parent.
std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> ids(4096);
  const int count = ::proc_listchildpids(parent, ids.data(), static_cast<int>(ids.size() * sizeof(pid_t)));
  ids.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return ids;
}

ProcessUse use_of(pid_t id) {
  ProcessUse process{.id = id};
  char name[2 * MAXCOMLEN] = {};
  if (::proc_name(id, name, sizeof(name)) > 0) process.name = name;
  proc_taskinfo info{};
  errno = 0;
  if (::proc_pidinfo(id, PROC_PIDTASKINFO, 0, &info, sizeof(info)) == sizeof(info))
    process.resident.bytes = static_cast<std::int64_t>(info.pti_resident_size);
  else if (errno != ESRCH)  // ESRCH: the process has ended, and holds nothing
    process.resident = MemoryReading::unread(std::string("proc_pidinfo: ") + std::strerror(errno));
  return process;
}

}  // namespace

std::vector<ProcessUse> descendants(pid_t root) {
  std::vector<ProcessUse> found;
  for (const pid_t id : children_of(root)) found.push_back(use_of(id));
  for (std::size_t i = 0; i < found.size(); ++i)
    for (const pid_t id : children_of(found[i].id)) found.push_back(use_of(id));
  return found;
}

void adopt_orphans() {}  // macOS has no such thing

}  // namespace bench::harness
