#include "harness/core/process.h"

#include <spawn.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <thread>

#include "harness/core/clock.h"
#include "harness/core/error.h"

extern char** environ;

namespace bench::harness {

ProcessResult run_process(const std::vector<std::string>& command, double timeout_s) {
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));  // posix_spawn doesn't write
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int failed = ::posix_spawnp(&child, arguments[0], nullptr, nullptr, arguments.data(), environ);
  if (failed) throw Error::at_run_time(command[0], std::string("cannot be started: ") + std::strerror(failed));
  ProcessResult result;
  const double end = now_s() + timeout_s;
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    if (now_s() > end && !result.timed_out) {
      result.timed_out = true;
      ::kill(child, SIGKILL);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

}  // namespace bench::harness
