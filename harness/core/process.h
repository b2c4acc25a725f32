#pragma once

#include <string>
#include <vector>

namespace bench::harness {

struct ProcessResult {
  int exit_code = 0;       // when it ended by itself
  int signal = 0;          // that ended it, 0 if none
  bool timed_out = false;  // it was ended because its time was up
};

/// A file descriptor that a started program gets, and under which number.
struct PassedFd {
  int ours = -1, theirs = -1;
};

/// Runs a program with this process's stdin, stdout and stderr and waits for it; after `timeout_s` it is killed. With
/// `own_group` whatever it started itself is killed with it, and Ctrl-C, SIGTERM or SIGHUP here ends them all before it
/// ends this process. Throws Error if it can't be started.
ProcessResult run_process(const std::vector<std::string>& command, double timeout_s, bool own_group = false,
                          const std::vector<PassedFd>& passed = {});

}  // namespace bench::harness
