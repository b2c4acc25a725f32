#include "harness/host/command.h"

#include "harness/core/clock.h"
#include "harness/core/error.h"
#include "harness/core/pipe.h"
#include "harness/core/signals.h"
#include "harness/core/spawn.h"
#include "harness/host/process_tree.h"
#include "harness/host/resource_use.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

namespace bench::harness {
namespace {

constexpr double kGrace_s = 1;

/// Restores the signal handling that every program expects, whatever this process ignores.
void set_default_signals(SpawnAttributes& attributes) {
  sigset_t all;
  sigfillset(&all);  // a macro on macOS
  ::posix_spawnattr_setsigdefault(attributes.get(), &all);
  ::posix_spawnattr_setflags(attributes.get(), POSIX_SPAWN_SETSIGDEF);
}

double own_peak_bytes() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  return peak_bytes(use);
}

/// A running program, and what it prints.
class Running {
 public:
  explicit Running(const Command& command) : timeout_s_(command.timeout_s) {
    SpawnActions actions;
    ::posix_spawn_file_actions_addopen(actions.get(), STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(actions.get(), out_.write_end.number(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(actions.get(), err_.write_end.number(), STDERR_FILENO);
    if (!command.folder.empty()) ::posix_spawn_file_actions_addchdir_np(actions.get(), command.folder.c_str());
    SpawnAttributes attributes;
    set_default_signals(attributes);
    const int failed = spawn(command.arguments, command.environment, actions, attributes, child_);
    if (failed)
      throw Error::at_run_time(command.arguments[0], fmt::format("cannot be started: {}", std::strerror(failed)),
                               command.folder.empty() ? "is it installed, and found by PATH?"
                                                      : fmt::format("it was to run in {}", command.folder));
    out_.write_end = Descriptor();
    err_.write_end = Descriptor();
  }

  CommandResult wait() {
    while (!ended_) {
      // Once both outputs are closed, the program's end is near, and only a look can show it.
      read_output(out_.read_end.is_open() || err_.read_end.is_open() ? tick_ms() : 1);
      look();
      const bool up = now_s() - begin_s_ > timeout_s_;
      if (!up && EndingSignals::received() == 0) continue;
      result_.timed_out = up;
      end_all();
    }
    if (!result_.timed_out) await_descendants();
    const auto left = end_descendants();
    if (!result_.timed_out) result_.left_behind = left;
    const double end_s = now_s() + kGrace_s;
    while (read_output(0) && now_s() < end_s) {  // what was written before the end
    }
    return std::move(result_);
  }

 private:
  /// How long to wait until the next look: a fiftieth of the time so far, since a look takes some tenths of a
  /// millisecond.
  int tick_ms() const { return std::clamp(static_cast<int>(20 * (now_s() - begin_s_)), 1, 50); }

  /// Reads what the program has printed. Waits at most `timeout_ms` for output, or for the end of both outputs. Returns
  /// whether something was read.
  bool read_output(int timeout_ms) {
    pollfd ends[2] = {{out_.read_end.number(), POLLIN, 0}, {err_.read_end.number(), POLLIN, 0}};
    if (::poll(ends, 2, timeout_ms) <= 0) return false;
    bool some = false;
    for (std::size_t i = 0; i < 2; ++i) {
      if (ends[i].revents == 0) continue;
      char buffer[1 << 16];
      const ssize_t n = ::read(ends[i].fd, buffer, sizeof(buffer));
      if (n > 0) (i == 0 ? result_.out : result_.err).add(buffer, static_cast<std::size_t>(n));
      if (n == 0) (i == 0 ? out_ : err_).read_end = Descriptor();  // poll() skips a closed descriptor
      some = some || n > 0;
    }
    return some;
  }

  /// Looks whether the program has ended and, while it runs, how much memory it holds.
  void look() {
    int status = 0;
    rusage use{};
    const pid_t found = ::wait4(child_, &status, WNOHANG, &use);
    if (found == child_) {
      ended_ = true;
      result_.wall_s = now_s() - begin_s_;
      result_.cpu_s = cpu_seconds(use);
      // The program's peak begins at this process's peak, so only a larger value is its own.
      if (peak_bytes(use) > own_peak_bytes()) result_.peak_bytes = std::max(result_.peak_bytes, peak_bytes(use));
      if (WIFEXITED(status)) result_.exit_code = WEXITSTATUS(status);
      if (WIFSIGNALED(status)) result_.signal = WTERMSIG(status);
    } else if (now_s() - looked_s_ >= 1e-3 * tick_ms()) {
      looked_s_ = now_s();
      add_look(descendants(::getpid()), result_);
    }
  }

  /// Waits a while for descendants to end by themselves. Those that end just after the program, as Python's helpers do,
  /// don't count as left running.
  void await_descendants() {
    const double end_s = now_s() + kGrace_s;
    while (now_s() < end_s && EndingSignals::received() == 0 && !descendants(::getpid()).empty()) {
      ::poll(nullptr, 0, 10);
      while (::waitpid(-1, nullptr, WNOHANG) > 0) {
      }
    }
  }

  /// Kills the program and waits for its end. A program that the system keeps in a call, or that belongs to another
  /// user, is given up after a while.
  void end_all() {
    ::kill(child_, SIGKILL);
    const double end_s = now_s() + 5 * kGrace_s;
    while (::waitpid(child_, nullptr, WNOHANG) == 0 && now_s() < end_s) ::poll(nullptr, 0, 1);
    ended_ = true;
    result_.wall_s = now_s() - begin_s_;
    result_.signal = SIGKILL;
  }

  double timeout_s_, begin_s_ = now_s(), looked_s_ = 0;
  Pipe out_, err_;
  pid_t child_ = 0;
  bool ended_ = false;
  CommandResult result_;
};

}  // namespace

void Output::add(const char* bytes, std::size_t count) {
  const std::size_t first = std::min(count, kMost - std::min(kMost, beginning.size()));
  beginning.append(bytes, first);
  if (first == count) return;
  end.append(bytes + first, count - first);
  cut = true;
  if (end.size() > 2 * kMost) end.erase(0, end.size() - kMost);
}

std::string Output::tail(std::size_t most) const {
  const std::string& last = end.empty() ? beginning : end;
  if (last.size() <= most) return last;
  const std::size_t line = last.find('\n', last.size() - most);
  return last.substr(line == std::string::npos || line + 1 == last.size() ? last.size() - most : line + 1);
}

void add_look(const std::vector<ProcessUse>& processes, CommandResult& result) {
  double sum = 0;
  for (const auto& process : processes) {
    sum += static_cast<double>(process.resident.bytes);
    result.peak_bytes = std::max(result.peak_bytes, process.peak_resident_bytes);
    if (process.resident || !result.peak_unread.empty()) continue;
    result.peak_unread =
        fmt::format("process {}{}: {}", process.id, process.name.empty() ? "" : fmt::format(" ({})", process.name),
                    process.resident.missing);
  }
  result.peak_bytes = std::max(result.peak_bytes, sum);
}

CommandResult run_command(const Command& command) {
  std::error_code unknown;
  if (!command.folder.empty() && !std::filesystem::is_directory(command.folder, unknown))
    throw Error::at_run_time(command.folder, "is no folder", "folder: where the command is to run");
  adopt_orphans();
  const EndingSignals signals;
  std::signal(SIGCHLD, SIG_DFL);  // the program that started us may have had this ignored
  return Running(command).wait();
}

}  // namespace bench::harness
