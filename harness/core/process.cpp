#include "harness/core/process.h"

#include "harness/core/clock.h"
#include "harness/core/error.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <iterator>
#include <mutex>
#include <spawn.h>
#include <sys/wait.h>
#include <thread>

extern char** environ;

namespace bench::harness {

namespace {

std::atomic<int> ended_by = 0;  // the signal that asked us to end
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler writes it");

constexpr int kEndingSignals[] = {SIGINT, SIGTERM, SIGHUP};

/// Of all EndingSignals: how many there are, and what the signals did before the first.
struct Holders {
  std::mutex mutex;
  int count = 0;
  void (*before[std::size(kEndingSignals)])(int) = {};
};
Holders& holders() {
  static Holders all;
  return all;
}

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

/// Ours with those in the place of what it says of the same names. Ends with a null, as posix_spawn wants it.
std::vector<char*> environment_with(const std::vector<std::string>& ours) {
  std::vector<char*> all;
  const auto replaced = [&](const std::string& entry) {
    const std::string name = entry.substr(0, entry.find('=') + 1);
    return std::any_of(ours.begin(), ours.end(), [&](const std::string& one) { return one.starts_with(name); });
  };
  for (char** entry = environ; *entry; ++entry)
    if (!replaced(*entry)) all.push_back(*entry);
  for (const auto& one : ours) all.push_back(const_cast<char*>(one.c_str()));  // posix_spawn doesn't write
  all.push_back(nullptr);
  return all;
}

}  // namespace

EndingSignals::EndingSignals() {
  const std::lock_guard lock(holders().mutex);
  if (holders().count++ > 0) return;
  for (std::size_t i = 0; i < std::size(kEndingSignals); ++i) {
    auto& before = holders().before[i];
    before = std::signal(kEndingSignals[i], [](int signal) { ended_by = signal; });
    if (before == SIG_IGN) std::signal(kEndingSignals[i], SIG_IGN);
  }
}

EndingSignals::~EndingSignals() {
  int signal = 0;
  {
    const std::lock_guard lock(holders().mutex);
    if (--holders().count > 0) return;
    for (std::size_t i = 0; i < std::size(kEndingSignals); ++i) std::signal(kEndingSignals[i], holders().before[i]);
    signal = ended_by.exchange(0);
  }
  if (signal) std::raise(signal);
}

ProcessResult run_process(const std::vector<std::string>& command, double timeout_s, bool own_group,
                          const std::vector<PassedFd>& passed, const std::vector<std::string>& environment) {
  std::vector<char*> arguments;
  for (const auto& argument : command)
    arguments.push_back(const_cast<char*>(argument.c_str()));  // posix_spawn doesn't write
  arguments.push_back(nullptr);
  pid_t child = 0;
  const SpawnAttributes attributes(own_group);
  const SpawnFiles files(passed);
  // Before there is a child: what ended us alone would leave it computing beside whatever is measured next.
  const EndingSignals signals;
  // Whoever started us may ignore the ends of children; then nothing would be left of them to wait for.
  std::signal(SIGCHLD, SIG_DFL);
  const int failed = ::posix_spawnp(&child, arguments[0], files.get(), attributes.get(), arguments.data(),
                                    environment_with(environment).data());
  if (failed) throw Error::at_run_time(command[0], std::string("cannot be started: ") + std::strerror(failed));
  const pid_t target = own_group ? -child : child;
  ProcessResult result;
  const double end = now_s() + timeout_s;
  int status = 0;
  pid_t ended = 0;
  while ((ended = ::waitpid(child, &status, WNOHANG)) == 0) {
    result.timed_out = result.timed_out || now_s() > end;
    if (result.timed_out || ended_by) ::kill(target, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  if (ended < 0) throw Error::at_run_time(command[0], std::string("its end is unknown: ") + std::strerror(errno));
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

}  // namespace bench::harness
