#include "harness/core/process.h"

#include "harness/core/clock.h"
#include "harness/core/error.h"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <optional>
#include <spawn.h>
#include <sys/wait.h>
#include <thread>

extern char** environ;

namespace bench::harness {

namespace {

volatile std::sig_atomic_t ended_by = 0;  // the signal that asked us to end

/// While it lives, signals that would end us set `ended_by` instead; then they have their turn. Those that are ignored
/// stay so (nohup).
class EndingSignals {
 public:
  EndingSignals() {
    for (std::size_t i = 0; i < kCount; ++i) {
      before_[i] = std::signal(kSignals[i], [](int signal) { ended_by = signal; });
      if (before_[i] == SIG_IGN) std::signal(kSignals[i], SIG_IGN);
    }
  }
  ~EndingSignals() {
    for (std::size_t i = 0; i < kCount; ++i) std::signal(kSignals[i], before_[i]);
    const int signal = ended_by;
    ended_by = 0;
    if (signal) std::raise(signal);
  }
  EndingSignals(const EndingSignals&) = delete;
  EndingSignals& operator=(const EndingSignals&) = delete;

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
  static constexpr std::size_t kCount = std::size(kSignals);
  void (*before_[kCount])(int);
};

/// The attributes of a new process: in a process group of its own, or in ours.
class SpawnAttributes {
 public:
  explicit SpawnAttributes(bool own_group) {
    ::posix_spawnattr_init(&attributes_);
    if (own_group) ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP);  // group 0: its own
  }
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

class SpawnFiles {
 public:
  explicit SpawnFiles(const std::vector<PassedFd>& passed) {
    ::posix_spawn_file_actions_init(&actions_);
    for (const auto& fd : passed) ::posix_spawn_file_actions_adddup2(&actions_, fd.ours, fd.theirs);
  }
  ~SpawnFiles() { ::posix_spawn_file_actions_destroy(&actions_); }
  SpawnFiles(const SpawnFiles&) = delete;
  SpawnFiles& operator=(const SpawnFiles&) = delete;
  const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

}  // namespace

ProcessResult run_process(const std::vector<std::string>& command, double timeout_s, bool own_group,
                          const std::vector<PassedFd>& passed) {
  std::vector<char*> arguments;
  for (const auto& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));  // posix_spawn doesn't write
  arguments.push_back(nullptr);
  pid_t child = 0;
  const SpawnAttributes attributes(own_group);
  const SpawnFiles files(passed);
  const int failed = ::posix_spawnp(&child, arguments[0], files.get(), attributes.get(), arguments.data(), environ);
  if (failed) throw Error::at_run_time(command[0], std::string("cannot be started: ") + std::strerror(failed));
  // Ctrl-C reaches our group only, and what ends us alone would leave a child that goes on computing beside whatever
  // is measured next: a child in a group of its own is ended with us.
  std::optional<EndingSignals> signals;
  if (own_group) signals.emplace();
  const pid_t target = own_group ? -child : child;
  ProcessResult result;
  const double end = now_s() + timeout_s;
  int status = 0;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    result.timed_out = result.timed_out || now_s() > end;
    if (result.timed_out || ended_by) ::kill(target, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  signals.reset();
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

}  // namespace bench::harness
