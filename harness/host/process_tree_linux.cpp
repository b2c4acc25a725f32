#include "harness/host/process_tree.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sys/prctl.h>
#include <unistd.h>

namespace bench::harness {
namespace {

/// /proc/ID/stat: "ID (NAME) STATE PARENT ...", resident pages in the 24th place. A name may have spaces and brackets.
bool read_stat(const std::filesystem::path& folder, ProcessUse& process, pid_t& parent) {
  std::ifstream in(folder / "stat");
  std::string line;
  if (!std::getline(in, line)) return false;  // it has ended meanwhile
  const auto open = line.find('('), close = line.rfind(')');
  if (open == std::string::npos || close == std::string::npos) return false;
  process.id = static_cast<pid_t>(std::atol(line.c_str()));
  process.name = line.substr(open + 1, close - open - 1);
  std::vector<std::string> rest;
  for (std::size_t begin = close + 2; begin < line.size();) {
    const std::size_t end = std::min(line.find(' ', begin), line.size());
    rest.push_back(line.substr(begin, end - begin));
    begin = end + 1;
  }
  if (rest.size() < 22) return false;
  parent = static_cast<pid_t>(std::atol(rest[1].c_str()));
  process.resident_bytes = std::atof(rest[21].c_str()) * static_cast<double>(::sysconf(_SC_PAGE_SIZE));
  return rest[0] != "Z";  // a zombie holds nothing and waits for its starter only
}

}  // namespace

std::vector<ProcessUse> descendants(pid_t root) {
  std::multimap<pid_t, ProcessUse> children;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", failed)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    ProcessUse process;
    pid_t parent = 0;
    if (read_stat(entry.path(), process, parent)) children.emplace(parent, process);
  }
  std::vector<ProcessUse> found;
  const auto add_children = [&](pid_t parent) {
    for (auto [one, end] = children.equal_range(parent); one != end; ++one) found.push_back(one->second);
  };
  add_children(root);
  for (std::size_t i = 0; i < found.size(); ++i) add_children(found[i].id);
  return found;
}

void adopt_orphans() { ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

}  // namespace bench::harness
