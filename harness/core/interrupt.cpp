#include "harness/core/interrupt.h"

#include <atomic>

namespace bench::harness {
namespace {

std::atomic<int> first = 0;
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler writes it");

void note(int signal) {
  int none = 0;
  first.compare_exchange_strong(none, signal);
  std::signal(signal, SIG_DFL);
}

}  // namespace

InterruptGuard::InterruptGuard() {
  first = 0;
  for (std::size_t i = 0; i < std::size(kSignals); ++i) {
    before_[i] = std::signal(kSignals[i], note);
    if (kSignals[i] == SIGHUP && before_[i] == SIG_IGN) std::signal(SIGHUP, SIG_IGN);  // nohup asks to go on
  }
}

InterruptGuard::~InterruptGuard() {
  for (std::size_t i = 0; i < std::size(kSignals); ++i) std::signal(kSignals[i], before_[i]);
}

int InterruptGuard::signal() const { return first; }

}  // namespace bench::harness
