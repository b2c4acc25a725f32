#include "harness/core/process.h"

#include "harness/core/clock.h"
#include "harness/core/error.h"
#include "harness/core/pipe.h"
#include "harness/core/signals.h"
#include "harness/core/spawn.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

namespace bench::harness {

namespace {

/// A pipe into which nobody writes. A started program has its reading end, under a number that an environment variable
/// names. Only this process has the writing end. So the program sees at once when this process ends, even if it is
/// killed. This needs nothing that only some systems have.
struct StarterPipe {
  static constexpr int kTheirs = 5;
  static constexpr const char* kVariable = "BENCH_STARTER_FD";

  PassedFd passed() const { return {ends.read_end.number(), kTheirs}; }
  static std::string variable() { return fmt::format("{}={}", kVariable, kTheirs); }

  Pipe ends;
};

/// A pipe whose writing end the started program has, and also the programs that it starts and passes it on to. When all
/// of them have ended, this process sees that the pipe is closed. So it can sleep meanwhile, and still learns of the
/// end at once.
class EndPipe {
 public:
  static constexpr int kTheirs = 6;

  PassedFd passed() const { return {ends_.write_end.number(), kTheirs}; }
  /// Closes our copy of the writing end. Call it once the program has its own.
  void give_away() { ends_.write_end = Descriptor(); }
  /// Waits until the pipe is closed, but for a tenth of a second at most: the signal that asks us to end may wake
  /// another thread, and a process that outlives the program may hold the pipe open.
  void await() {
    pollfd end{ends_.read_end.number(), POLLIN, 0};  // poll() skips a closed descriptor
    const int timeout_ms = ends_.read_end.is_open() ? 100 : 1;
    if (::poll(&end, 1, timeout_ms) > 0) ends_.read_end = Descriptor();  // its end is near, if it didn't close the pipe
  }

 private:
  Pipe ends_;
};

bool is_pipe(int fd) {
  struct stat found;
  return ::fstat(fd, &found) == 0 && S_ISFIFO(found.st_mode);
}

/// Whether nobody holds the other end of that pipe any more. Does not wait.
bool is_closed(int fd) {
  struct pollfd end{fd, POLLIN, 0};
  return ::poll(&end, 1, /*timeout, ms*/ 0) == 1 && (end.revents & POLLHUP) != 0;
}

/// Waits until nobody holds the other end; false if that can't be known.
bool await_close(int fd) {
  char nothing = 0;
  ssize_t n = 0;
  do n = ::read(fd, &nothing, 1);
  while (n < 0 && errno == EINTR);
  return n == 0;
}

/// Ends this process at once and removes the folder. Replacing it by another program (rm) first ends all of its
/// threads, so they can't write anything meanwhile.
void end_now(const std::string& folder) {
  if (!folder.empty()) ::execl("/bin/rm", "rm", "-rf", "--", folder.c_str(), static_cast<char*>(nullptr));
  ::kill(::getpgrp() == ::getpid() ? -::getpid() : ::getpid(), SIGKILL);
}

}  // namespace

ProcessResult run_process(const std::vector<std::string>& command, double timeout_s, bool own_group,
                          std::vector<PassedFd> passed, std::vector<std::string> environment) {
  SpawnAttributes attributes;
  if (own_group) ::posix_spawnattr_setflags(attributes.get(), POSIX_SPAWN_SETPGROUP);  // group 0: its own
  // A program that another thread starts between pipe() and marking its ends as not inherited would inherit them. The
  // two programs would then hold each other's pipes open.
  static std::mutex starting;
  std::unique_lock lock(starting);
  const StarterPipe pipe;
  EndPipe end_of_child;
  passed.push_back(pipe.passed());
  passed.push_back(end_of_child.passed());
  environment.push_back(StarterPipe::variable());
  SpawnActions actions;
  for (const auto& fd : passed) ::posix_spawn_file_actions_adddup2(actions.get(), fd.ours, fd.theirs);
  // This comes before there is a child: a signal that ended only us would leave the child computing beside whatever is
  // measured next.
  const EndingSignals signals;
  // The program that started us may have set us to ignore the ends of children. Then nothing would be left of them to
  // wait for.
  std::signal(SIGCHLD, SIG_DFL);
  pid_t child = 0;
  const int failed = spawn(command, environment, actions, attributes, child);
  end_of_child.give_away();
  lock.unlock();
  if (failed) throw Error::at_run_time(command[0], std::string("cannot be started: ") + std::strerror(failed));
  const pid_t target = own_group ? -child : child;
  ProcessResult result;
  const double end = now_s() + timeout_s;
  double asked_s = 0;  // when the program was asked to end
  int status = 0;
  pid_t ended = 0;
  while ((ended = ::waitpid(child, &status, WNOHANG)) == 0) {
    result.timed_out = result.timed_out || now_s() > end;
    result.ended_with_us = result.ended_with_us || EndingSignals::received() != 0;
    if (result.timed_out || result.ended_with_us) {
      // A group is first asked to end, so that the program can end processes that have left the group.
      constexpr double kGrace_s = 2;
      if (asked_s == 0) asked_s = now_s();
      ::kill(target, own_group && now_s() - asked_s < kGrace_s ? SIGTERM : SIGKILL);
    }
    end_of_child.await();
  }
  // What the program leaves running ends with it, also if it was killed and could end nothing itself.
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
  static const std::string& doomed = *new std::string(folder);  // never destroyed: needed until the very end
  static void (*const others)() = end_others;
  static const auto end = [] {
    others();
    end_now(doomed);
  };
  std::thread([] {
    if (await_close(fd)) end();
  }).detach();
  // A program that learns of the starter's end in another way may finish before that thread wakes up. So look once more
  // at its exit.
  std::atexit([] {
    if (is_closed(fd)) end();
  });
}

}  // namespace bench::harness
