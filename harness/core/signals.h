#pragma once

#include <csignal>
#include <cstddef>
#include <iterator>

// Signals that ask a program to end: Ctrl-C, kill, a closed terminal.
namespace bench::harness {

/// Sets what the signals SIGINT, SIGTERM and SIGHUP do while the object lives. A signal that is ignored stays ignored
/// if `stay_ignored` says so.
class SignalHandlers {
 public:
  SignalHandlers(void (*handler)(int), bool (*stay_ignored)(int signal));
  ~SignalHandlers();
  SignalHandlers(const SignalHandlers&) = delete;
  SignalHandlers& operator=(const SignalHandlers&) = delete;

 private:
  static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};

  void (*before_[std::size(kSignals)])(int);
};

/// While an object of this class lives, such a signal ends only the program that run_process() waits for; this process
/// ends when the last object goes. It is for code that has more to clean up than that program. Several threads may each
/// have one at the same time. A signal that is ignored stays ignored.
class EndingSignals {
 public:
  EndingSignals();
  ~EndingSignals();
  EndingSignals(const EndingSignals&) = delete;
  EndingSignals& operator=(const EndingSignals&) = delete;

  /// The signal that came first while any such object lives; 0 if none came.
  static int received();
};

/// While the object lives, such a signal is only noted, so that the work at hand can be finished in good order. The
/// same signal a second time ends this process. Only one such object may exist at a time. Of the signals that are
/// ignored only SIGHUP stays ignored (nohup): a script's background job ignores SIGINT, and `kill -INT` is how the
/// script ends it.
///
///     const InterruptGuard guard;
///     while (guard.signal() == 0 && more_to_do()) step();
class InterruptGuard {
 public:
  InterruptGuard();

  /// The signal that came first; 0 if none came.
  int signal() const;

 private:
  SignalHandlers handlers_;
};

}  // namespace bench::harness
