#include "harness/core/signals.h"

#include <atomic>
#include <mutex>
#include <optional>

namespace bench::harness {
namespace {

// The signal that came first, of EndingSignals and of the InterruptGuard: neither may take the other's for its own.
std::atomic<int> ending = 0, interrupting = 0;
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler writes it");

void note_first(int signal, std::atomic<int>& first) {
  int none = 0;
  first.compare_exchange_strong(none, signal);
}

void note_ending(int signal) { note_first(signal, ending); }

void note_interrupt(int signal) {
  note_first(signal, interrupting);
  std::signal(signal, SIG_DFL);
}

/// Shared by all EndingSignals.
struct Holders {
  std::mutex mutex;
  int count = 0;
  std::optional<SignalHandlers> handlers;
};
Holders& holders() {
  static Holders all;
  return all;
}

}  // namespace

SignalHandlers::SignalHandlers(void (*handler)(int), bool (*stay_ignored)(int)) {
  for (std::size_t i = 0; i < std::size(kSignals); ++i) {
    before_[i] = std::signal(kSignals[i], handler);
    if (before_[i] == SIG_IGN && stay_ignored(kSignals[i])) std::signal(kSignals[i], SIG_IGN);
  }
}

SignalHandlers::~SignalHandlers() {
  for (std::size_t i = 0; i < std::size(kSignals); ++i) std::signal(kSignals[i], before_[i]);
}

EndingSignals::EndingSignals() {
  const std::lock_guard lock(holders().mutex);
  if (holders().count++ == 0) holders().handlers.emplace(note_ending, [](int) { return true; });
}

EndingSignals::~EndingSignals() {
  int signal = 0;
  {
    const std::lock_guard lock(holders().mutex);
    if (--holders().count > 0) return;
    holders().handlers.reset();
    signal = ending.exchange(0);
  }
  if (signal) std::raise(signal);
}

int EndingSignals::received() { return ending; }

InterruptGuard::InterruptGuard()
    : handlers_((interrupting = 0, note_interrupt), [](int signal) { return signal == SIGHUP; }) {}

int InterruptGuard::signal() const { return interrupting; }

}  // namespace bench::harness
