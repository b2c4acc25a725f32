#include "harness/core/signals.h"

#include <functional>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

/// How a process ends that does this and then ends well.
int end_of(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);
    work();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

TEST(InterruptGuard, NotesTheFirstSignalAndEndsAtTheSecond) {
  EXPECT_EQ(end_of([] {
              const InterruptGuard guard;
              std::raise(SIGTERM);
              std::raise(SIGINT);
              ::_exit(guard.signal());
            }),
            SIGTERM);
  EXPECT_EQ(end_of([] {
              const InterruptGuard guard;
              std::raise(SIGTERM);
              std::raise(SIGTERM);
            }),
            -SIGTERM);
}

TEST(InterruptGuard, LeavesAnIgnoredHangupIgnoredAndNoOther) {
  EXPECT_EQ(end_of([] {
              std::signal(SIGHUP, SIG_IGN);
              std::signal(SIGINT, SIG_IGN);
              const InterruptGuard guard;
              std::raise(SIGHUP);
              if (guard.signal() != 0) ::_exit(1);
              std::raise(SIGINT);
              ::_exit(guard.signal() == SIGINT ? 0 : 2);
            }),
            0);
}

TEST(InterruptGuard, KeepsItsSignalFromEndingSignals) {
  EXPECT_EQ(end_of([] {
              const InterruptGuard guard;
              std::raise(SIGTERM);
              const EndingSignals signals;
              ::_exit(EndingSignals::received());
            }),
            0);
}

TEST(EndingSignals, EndTheProcessWhenTheLastHolderGoes) {
  EXPECT_EQ(end_of([] {
              {
                const EndingSignals outer;
                {
                  const EndingSignals inner;
                  std::raise(SIGTERM);
                }
                if (EndingSignals::received() != SIGTERM) ::_exit(1);
              }
              ::_exit(2);
            }),
            -SIGTERM);
}

TEST(EndingSignals, LeaveIgnoredSignalsIgnored) {
  EXPECT_EQ(end_of([] {
              std::signal(SIGINT, SIG_IGN);
              const EndingSignals signals;
              std::raise(SIGINT);
              ::_exit(EndingSignals::received());
            }),
            0);
}

}  // namespace
}  // namespace bench::harness
