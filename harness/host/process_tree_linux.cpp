#include "harness/host/process_tree.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <sys/prctl.h>
#include <unistd.h>

namespace bench::harness {
namespace {

/// Bytes of a line such as "VmRSS:   123 kB" of /proc/ID/status; 0 without it.
double bytes_of(const std::string& status, const char* name) {
  const auto at = status.find(name);
  return at == std::string::npos ? 0 : 1024 * std::atof(status.c_str() + at + std::strlen(name));
}

/// Nothing of one that has ended: it holds nothing, and waits for its starter only.
std::optional<ProcessUse> read_process(pid_t id) {
  std::ifstream in("/proc/" + std::to_string(id) + "/status");
  std::stringstream text;
  text << in.rdbuf();
  const std::string status = text.str();
  const auto state = status.find("\nState:\t");
  if (!status.starts_with("Name:\t") || state == std::string::npos || status[state + 8] == 'Z') return {};
  return ProcessUse{.id = id,
                    .name = status.substr(6, status.find('\n') - 6),
                    .resident_bytes = bytes_of(status, "\nVmRSS:"),
                    .peak_resident_bytes = bytes_of(status, "\nVmHWM:")};
}

/// The same by a look through all processes, for kernels that don't list children: that costs milliseconds.
std::vector<pid_t> children_among_all(pid_t parent) {
  std::vector<pid_t> ids;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", failed)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream in(entry.path() / "status");
    for (std::string line; std::getline(in, line);)
      if (line == "PPid:\t" + std::to_string(parent)) ids.push_back(static_cast<pid_t>(std::stol(name)));
  }
  return ids;
}

/// Whom that process's threads have started.
std::vector<pid_t> children_of(pid_t parent) {
  static const bool lists_children =
      std::filesystem::exists("/proc/self/task/" + std::to_string(::getpid()) + "/children");
  if (!lists_children) return children_among_all(parent);
  std::vector<pid_t> ids;
  std::error_code failed;
  for (const auto& thread : std::filesystem::directory_iterator("/proc/" + std::to_string(parent) + "/task", failed)) {
    std::ifstream in(thread.path() / "children");
    for (pid_t id = 0; in >> id;) ids.push_back(id);
  }
  return ids;
}

}  // namespace

std::vector<ProcessUse> descendants(pid_t root) {
  std::vector<ProcessUse> found;
  const auto add_children = [&](pid_t parent) {
    for (const pid_t id : children_of(parent))
      if (const auto process = read_process(id)) found.push_back(*process);
  };
  add_children(root);
  for (std::size_t i = 0; i < found.size(); ++i) add_children(found[i].id);
  return found;
}

void adopt_orphans() { ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

}  // namespace bench::harness
