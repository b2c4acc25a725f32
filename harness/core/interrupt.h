#pragma once

#include <csignal>
#include <cstddef>
#include <iterator>

namespace bench::harness {

/// While it lives, what asks a program to end (Ctrl-C, kill, a closed terminal) is noted instead of ending it; the same
/// a second time ends it. One at a time.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  /// The signal that came first, 0 if none did.
  int signal() const;

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};

  void (*before_[std::size(kSignals)])(int);
};

}  // namespace bench::harness
