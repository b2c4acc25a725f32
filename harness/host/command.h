#pragma once

#include "harness/host/process_tree.h"

#include <cstddef>
#include <string>
#include <vector>

namespace bench::harness {

/// A program to run: any, not only ours.
struct Command {
  std::vector<std::string> arguments;         // the program first, looked up as a shell does
  std::string folder = {};                    // to run it in; empty: here
  std::vector<std::string> environment = {};  // NAME=VALUE, instead of what this process has of it; NAME: without it
  double timeout_s = 600;
};

/// What a program printed: its beginning and its end where it is long.
struct Output {
  static constexpr std::size_t kMost = std::size_t{8} << 20;  // bytes kept of the beginning, and of the end

  std::string beginning, end;
  bool cut = false;  // something between them was dropped

  void add(const char* bytes, std::size_t count);
  /// All of it; only where nothing was cut.
  const std::string& whole() const { return beginning; }
  /// The last lines, of `most` bytes at most.
  std::string tail(std::size_t most) const;
};

struct CommandResult {
  int exit_code = 0;       // when it ended by itself
  int signal = 0;          // that ended it; 0: none
  bool timed_out = false;  // it was ended because its time was up
  double wall_s = 0;       // from its start to its end
  double cpu_s = 0;        // of it and of all that it started and waited for
  /// The most that it and all that it started held together: the largest sum of resident memory, looked at every 1 to
  /// 50 ms, and at least the largest single process's peak where the system tells that. 0 if it ended before one look.
  /// What a program takes in its last moments and is less than this process ever had can be missed.
  double peak_bytes = 0;
  /// Why it is not known how much that was: one of them was there, and its memory could not be read. peak_bytes is then
  /// what the others held.
  std::string peak_unread;
  Output out, err;                       // of stdout and stderr
  std::vector<std::string> left_behind;  // what was still running when it had ended, and was ended too
};

/// Takes one look at the processes of a run into its result's peak.
void add_look(const std::vector<ProcessUse>& processes, CommandResult& result);

/// Runs a program to its end, without stdin. It belongs to this process's group, so it ends with that; what it leaves
/// running is ended as well, so no other thread may start programs meanwhile. Ends it where a signal ends this process
/// (EndingSignals). Throws Error if it can't be started.
CommandResult run_command(const Command& command);

}  // namespace bench::harness
