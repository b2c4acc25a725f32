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

/// While one lives, Ctrl-C, SIGTERM or SIGHUP here ends only what run_process() waits for; this process when the last
/// one goes. For whoever has more to clean up than that program; several threads may have one at once. Signals that are
/// ignored stay so (nohup).
class EndingSignals {
 public:
  EndingSignals();
  ~EndingSignals();
  /// The signal that came since the first of those that live was made; 0 if none.
  static int received();
  EndingSignals(const EndingSignals&) = delete;
  EndingSignals& operator=(const EndingSignals&) = delete;
};

/// Runs a program with this process's stdin, stdout and stderr and waits for it; after `timeout_s` it is killed, and so
/// it is by what ends this process (see EndingSignals). With `own_group` whatever it started itself is killed with it.
/// `environment`: NAME=VALUE, instead of what this process has of that name. A program that calls end_with_starter()
/// ends with this process even if that is killed. Throws Error if it can't be started.
ProcessResult run_process(const std::vector<std::string>& command, double timeout_s, bool own_group = false,
                          std::vector<PassedFd> passed = {}, std::vector<std::string> environment = {});

/// In a program that run_process() started: from now on it ends at once when the process that started it is gone,
/// however that ended, and `folder` is removed (empty: none). What it has started itself ends with it, if that calls
/// this too, or by `end_others`, which is called before. In a program that was started otherwise: nothing.
void end_with_starter(const std::string& folder, void (*end_others)());

}  // namespace bench::harness
