#pragma once

#include "harness/host/process_tree.h"

#include <cstddef>
#include <string>
#include <vector>

namespace bench::harness {

/// A program to run: any program, not only ours.
struct Command {
  std::vector<std::string> arguments;         // the program first, looked up as a shell does
  std::string folder = {};                    // the working folder; empty: the current one
  std::vector<std::string> environment = {};  // NAME=VALUE: set to this value; NAME: removed
  double timeout_s = 600;
};

/// What a program printed. Where that is long, only its beginning and its end are kept.
struct Output {
  static constexpr std::size_t kMost = std::size_t{8} << 20;  // bytes kept of the beginning, and of the end

  std::string beginning, end;
  bool cut = false;  // something between them was dropped

  void add(const char* bytes, std::size_t count);
  /// The whole output; valid only if nothing was cut.
  const std::string& whole() const { return beginning; }
  /// The last lines, at most `most` bytes.
  std::string tail(std::size_t most) const;
};

struct CommandResult {
  int exit_code = 0;       // if it ended by itself
  int signal = 0;          // the signal that ended it; 0: none
  bool timed_out = false;  // it was ended because its time was up
  double wall_s = 0;       // from its start to its end
  double cpu_s = 0;        // of the program and of all that it started and waited for
  /// The most memory that the program and all that it started held together. This is the largest sum of resident memory
  /// seen by a look every 1 to 50 ms, and at least the peak of the largest single process where the system tells that.
  /// It is 0 if the program ended before the first look. Memory taken in the last moments can be missed if it is less
  /// than this process ever had.
  double peak_bytes = 0;
  /// Why the peak is not fully known: one of the processes was there, but its memory could not be read. peak_bytes is
  /// then what the others held.
  std::string peak_unread;
  Output out, err;                       // of stdout and stderr
  std::vector<std::string> left_behind;  // what still ran after its end, and was ended too
};

/// Adds one look at the processes of a run to the peak in its result.
void add_look(const std::vector<ProcessUse>& processes, CommandResult& result);

/// Runs a program to its end, without stdin. The program belongs to this process's group, so it ends with that group.
/// Whatever it leaves running is ended as well, so no other thread may start programs meanwhile. If a signal ends this
/// process, the program is ended first (EndingSignals). Throws Error if the program can't be started.
CommandResult run_command(const Command& command);

}  // namespace bench::harness
