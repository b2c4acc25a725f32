#pragma once

#include "harness/core/pipe.h"

namespace bench::harness {

/// Two processes that take turns, so that they meet the same state of the machine: each waits before a block of timing
/// until the process that started both lets it go on. Over a pair of pipes.
class Turns {
 public:
  /// The file descriptors at which a process that was started with them finds its ends.
  static constexpr int kGoFd = 3, kReadyFd = 4;

  /// Says that this process is ready for its next block, and waits for its turn. Throws Error if the other end is gone.
  void wait() const;
};

/// The other side: lets one process have its turns.
class TurnGiver {
 public:
  TurnGiver();

  /// What the process is started with; close_child_ends() once it runs, else its end could not be noticed.
  int child_go_fd() const { return go_.read_end.number(); }
  int child_ready_fd() const { return ready_.write_end.number(); }
  void close_child_ends();

  /// Waits until the process is ready for a block. False when it has ended instead.
  bool await_ready() const;
  void go() const;

 private:
  Pipe go_, ready_;
};

}  // namespace bench::harness
