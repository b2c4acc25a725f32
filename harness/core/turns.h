#pragma once

#include "harness/core/pipe.h"

namespace bench::harness {

/// One of two processes that take turns, so that both meet the same state of the machine. Before a block of timing each
/// process waits until the process that started both lets it go on. They talk over a pair of pipes.
class Turns {
 public:
  /// The numbers of the file descriptors under which the started process finds its ends of the pipes.
  static constexpr int kGoFd = 3, kReadyFd = 4;

  /// Says that this process is ready for its next block, and waits for its turn. Throws Error if the other end is gone.
  void wait() const;
};

/// The other side of Turns, in the process that started both: lets one process have its turns.
class TurnGiver {
 public:
  TurnGiver();

  /// The ends that the process is started with. Call close_child_ends() when the process has ended: until then
  /// await_ready() waits, since our copies keep the pipes open.
  int child_go_fd() const { return go_.read_end.number(); }
  int child_ready_fd() const { return ready_.write_end.number(); }
  void close_child_ends();

  /// Waits until the process is ready for a block. Returns false if it has ended instead.
  bool await_ready() const;
  void go() const;

 private:
  Pipe go_, ready_;
};

}  // namespace bench::harness
