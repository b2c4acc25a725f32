#include "harness/core/process.h"

#include "harness/core/clock.h"
#include "harness/core/error.h"
#include "harness/core/pipe.h"
#include "harness/core/spawn.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <mutex>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

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

/// A pipe into which nobody writes. A started program has its reading end, under a number that a variable names, and
/// this process alone the other: so its end is seen there at once, even when it is killed. Needs nothing of the system
/// that only some have.
struct StarterPipe {
  static constexpr int kTheirs = 5;
  static constexpr const char* kVariable = "BENCH_STARTER_FD";

  PassedFd passed() const { return {ends.read_end.number(), kTheirs}; }
  static std::string variable() { return fmt::format("{}={}", kVariable, kTheirs); }

  Pipe ends;
};

bool is_pipe(int fd) {
  struct stat found;
  return ::fstat(fd, &found) == 0 && S_ISFIFO(found.st_mode);
}

/// Whether nobody holds the other end of that pipe any more.
bool is_closed(int fd) {
  struct pollfd end{fd, POLLIN, 0};
  return ::poll(&end, 1, /*timeout, ms*/ 0) == 1 && (end.revents & POLLHUP) != 0;
}

/// Waits until it is; false if that can't be known.
bool await_close(int fd) {
  char nothing = 0;
  ssize_t n = 0;
  do n = ::read(fd, &nothing, 1);
  while (n < 0 && errno == EINTR);
  return n == 0;
}

/// Ends this process at once and removes the folder. Another program in its place ends all of its threads first: they
/// can't write anything beside it.
void end_now(const std::string& folder) {
  if (!folder.empty()) ::execl("/bin/rm", "rm", "-rf", "--", folder.c_str(), static_cast<char*>(nullptr));
  ::kill(::getpgrp() == ::getpid() ? -::getpid() : ::getpid(), SIGKILL);
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

int EndingSignals::received() { return ended_by; }

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
                          std::vector<PassedFd> passed, std::vector<std::string> environment) {
  SpawnAttributes attributes;
  if (own_group) ::posix_spawnattr_setflags(attributes.get(), POSIX_SPAWN_SETPGROUP);  // group 0: its own
  // Between pipe() and the mark that no program inherits its ends, one that another thread starts would: then the two
  // programs would hold each other's pipes open.
  static std::mutex starting;
  std::unique_lock lock(starting);
  const StarterPipe pipe;
  passed.push_back(pipe.passed());
  environment.push_back(StarterPipe::variable());
  SpawnActions actions;
  for (const auto& fd : passed) ::posix_spawn_file_actions_adddup2(actions.get(), fd.ours, fd.theirs);
  // Before there is a child: what ended us alone would leave it computing beside whatever is measured next.
  const EndingSignals signals;
  // Whoever started us may ignore the ends of children; then nothing would be left of them to wait for.
  std::signal(SIGCHLD, SIG_DFL);
  pid_t child = 0;
  const int failed = spawn(command, environment, actions, attributes, child);
  lock.unlock();
  if (failed) throw Error::at_run_time(command[0], std::string("cannot be started: ") + std::strerror(failed));
  const pid_t target = own_group ? -child : child;
  ProcessResult result;
  const double end = now_s() + timeout_s;
  double asked_s = 0;  // when it was asked to end
  int status = 0;
  pid_t ended = 0;
  while ((ended = ::waitpid(child, &status, WNOHANG)) == 0) {
    result.timed_out = result.timed_out || now_s() > end;
    if (result.timed_out || ended_by) {
      // A group is asked first, so that it can end what has left it.
      constexpr double kGrace_s = 2;
      if (asked_s == 0) asked_s = now_s();
      ::kill(target, own_group && now_s() - asked_s < kGrace_s ? SIGTERM : SIGKILL);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  // What it leaves running goes with it, also when it was killed and could end nothing itself.
  if (own_group) ::kill(target, SIGKILL);
  if (ended < 0) throw Error::at_run_time(command[0], std::string("its end is unknown: ") + std::strerror(errno));
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

void end_with_starter(const std::string& folder, void (*end_others)()) {
  const char* number = std::getenv(StarterPipe::kVariable);
  if (!number || !is_pipe(std::atoi(number))) return;
  static const int fd = std::atoi(number);
  static const std::string& doomed = *new std::string(folder);  // of use until the very end
  static void (*const others)() = end_others;
  static const auto end = [] {
    others();
    end_now(doomed);
  };
  std::thread([] {
    if (await_close(fd)) end();
  }).detach();
  // Whoever is told of the starter's end by something else may be done with everything before that thread wakes up.
  std::atexit([] {
    if (is_closed(fd)) end();
  });
}

}  // namespace bench::harness
