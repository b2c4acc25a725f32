#include "harness/host/proc_files.h"
#include "harness/host/process_tree.h"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <sys/prctl.h>
#include <unistd.h>

namespace bench::harness {
namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Whether the process still exists. Some systems hide the folders of other users' processes, but not that the
/// processes exist.
bool is_there(const std::filesystem::path& folder, pid_t id) {
  std::error_code failed;
  return std::filesystem::exists(folder, failed) || ::kill(id, 0) == 0 || errno == EPERM;
}

/// Whether the process is ending. By then it has given its memory back, but for some milliseconds it is not yet a
/// zombie.
bool is_ending(const std::filesystem::path& folder) {
  const std::string stat = text_of(folder / "stat");  // ID (NAME) STATE PPID PGRP SESSION TTY TPGID FLAGS ...
  const auto name_end = stat.rfind(')');
  if (name_end == std::string::npos) return false;
  std::istringstream rest(stat.substr(name_end + 1));
  std::string state;
  std::int64_t skipped = 0;
  unsigned flags = 0;
  rest >> state;
  for (int i = 0; i < 5; ++i) rest >> skipped;
  constexpr unsigned kExiting = 4;  // PF_EXITING of the kernel
  return state == "Z" || state == "X" || (rest >> flags && (flags & kExiting) != 0);
}

/// Finds the children by looking through all processes, for kernels that don't list children. Takes milliseconds.
std::vector<pid_t> children_among_all(pid_t parent) {
  std::vector<pid_t> ids;
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", failed)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (named_value(entry.path() / "status", "PPid") == std::to_string(parent))
      ids.push_back(static_cast<pid_t>(std::stol(name)));
  }
  return ids;
}

/// The processes that the threads of `parent` have started.
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

std::optional<ProcessUse> read_process(const std::filesystem::path& folder, pid_t id) {
  const auto file = folder / "status";
  const std::string status = text_of(file);
  const auto value = [&](const char* name) {
    std::istringstream in(status);
    return named_value(in, name);
  };
  const auto name = value("Name"), state = value("State");
  if (!name || !state) {
    if (!is_there(folder, id)) return {};
    return ProcessUse{.id = id, .resident = MemoryReading::unread("cannot read " + file.string())};
  }
  // A process that has ended holds nothing, and only waits for its starter.
  if (state->starts_with('Z') || state->starts_with('X')) return {};
  ProcessUse process{.id = id, .name = *name};
  if (const auto resident = kilobytes(value("VmRSS")))
    process.resident.bytes = *resident;
  else if (!is_ending(folder) && is_there(folder, id))  // in this order: the process may end meanwhile
    process.resident = MemoryReading::unread("no VmRSS in " + file.string());
  process.peak_resident_bytes = static_cast<double>(kilobytes(value("VmHWM")).value_or(0));
  return process;
}

std::vector<ProcessUse> descendants(pid_t root) {
  std::vector<ProcessUse> found;
  const auto add_children = [&](pid_t parent) {
    for (const pid_t id : children_of(parent))
      if (const auto process = read_process("/proc/" + std::to_string(id), id)) found.push_back(*process);
  };
  add_children(root);
  for (std::size_t i = 0; i < found.size(); ++i) add_children(found[i].id);
  return found;
}

void adopt_orphans() { ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

}  // namespace bench::harness
