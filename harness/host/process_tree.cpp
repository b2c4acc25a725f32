#include "harness/host/process_tree.h"

#include <chrono>
#include <csignal>
#include <map>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

namespace bench::harness {

std::vector<std::string> end_descendants() {
  std::map<pid_t, std::string> ended;
  // A process may start another one before it is ended, so repeat until none is left. A process that the system keeps
  // in a call can't be waited for without end, so the number of attempts is limited.
  for (int attempt = 0; attempt < 500; ++attempt) {
    const auto running = descendants(::getpid());
    for (const auto& process : running) {
      ended.emplace(process.id, process.name);
      ::kill(process.id, SIGKILL);
    }
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    if (running.empty()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::vector<std::string> names;
  for (const auto& [id, name] : ended) names.push_back(fmt::format("{} ({})", name, id));
  return names;
}

}  // namespace bench::harness
