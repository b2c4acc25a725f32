#pragma once

// The program while it runs: to be ended from outside.
#include "tests/harness/cli/program.h"

#include <chrono>
#include <csignal>
#include <functional>
#include <poll.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace bench::harness {

/// What waitpid and system say of an end. Functions, since macOS's macros take no value that has no address.
inline int exit_code(int status) { return WEXITSTATUS(status); }
inline int ending_signal(int status) { return WTERMSIG(status); }

/// A program that was started in a folder, whose tmp/ is its TMPDIR. It and all that it starts write into one pipe.
class Started {
 public:
  Started(const std::filesystem::path& folder, std::vector<std::string> arguments) {
    std::filesystem::create_directories(folder / "tmp");
    arguments.insert(arguments.begin(), BENCH_PROGRAM);
    std::vector<char*> command;
    for (auto& argument : arguments) command.push_back(argument.data());
    command.push_back(nullptr);
    int ends[2];
    EXPECT_EQ(::pipe(ends), 0);
    id_ = ::fork();
    if (id_ == 0) {
      for (const int signal : {SIGINT, SIGTERM})
        std::signal(signal, SIG_DFL);  // a script's background job ignores some
      ::setenv("TMPDIR", (folder / "tmp").c_str(), 1);
      ::dup2(ends[1], STDOUT_FILENO);
      ::dup2(ends[1], STDERR_FILENO);
      for (const int end : ends) ::close(end);
      if (::chdir(folder.c_str()) == 0) ::execv(command[0], command.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    output_ = ends[0];
  }
  ~Started() {
    if (!ended_) end(SIGKILL);
    ::close(output_);
  }
  Started(const Started&) = delete;
  Started& operator=(const Started&) = delete;

  /// Waits until that holds; false if the program ends before.
  bool wait_until(const std::function<bool()>& holds) {
    while (!holds()) {
      if (::waitpid(id_, &status_, WNOHANG) == id_) return ended_ = true, false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }
  /// Sends it that signal, 0 for none, and waits for its end: as waitpid says it.
  int end(int signal) {
    if (signal != 0) ::kill(id_, signal);
    if (!ended_) ::waitpid(id_, &status_, 0);
    ended_ = true;
    return status_;
  }
  /// What it and all that it started wrote, once the last of them has ended; nothing if one of them goes on.
  std::optional<std::string> all_output() {
    std::string text;
    std::array<char, 4096> buffer;
    while (true) {
      struct pollfd ready{output_, POLLIN, 0};
      constexpr int kPatience_ms = 30'000;  // half of what the slow case of these tests would take
      if (::poll(&ready, 1, kPatience_ms) <= 0) return {};
      const ssize_t n = ::read(output_, buffer.data(), buffer.size());
      if (n <= 0) return text;
      text.append(buffer.data(), static_cast<std::size_t>(n));
    }
  }

 private:
  pid_t id_ = 0;
  int output_ = -1, status_ = 0;
  bool ended_ = false;
};

}  // namespace bench::harness
