#pragma once

#include <string>
#include <vector>

namespace bench::harness {

struct ProcessResult {
  int exit_code = 0;           // if it ended by itself
  int signal = 0;              // the signal that ended it; 0: none
  bool timed_out = false;      // it was ended because its time was up
  bool ended_with_us = false;  // it was asked to end, because this process was (see EndingSignals)
};

/// A file descriptor that is passed to a started program, and the number that it has there.
struct PassedFd {
  int ours = -1, theirs = -1;
};

/// Runs a program with this process's stdin, stdout and stderr and waits for it. The program is killed after
/// `timeout_s`, or when a signal ends this process (see EndingSignals). With `own_group`, everything that the program
/// started is killed with it. `environment` holds NAME=VALUE entries, which replace this process's own values. A
/// program that calls end_with_starter() ends with this process even if this process is killed. Throws Error if the
/// program can't be started.
ProcessResult run_process(const std::vector<std::string>& command, double timeout_s, bool own_group = false,
                          std::vector<PassedFd> passed = {}, std::vector<std::string> environment = {});

/// Called in a program that run_process() started. From then on the program ends at once when the process that started
/// it is gone, however that process ended. `folder` is removed then (empty: none). Programs that this one has started
/// end with it if they call end_with_starter() too, or if `end_others` ends them, which is called first. In a program
/// that was started in another way this does nothing.
void end_with_starter(const std::string& folder, void (*end_others)());

}  // namespace bench::harness
