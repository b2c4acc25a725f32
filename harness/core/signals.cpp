#include "harness/core/signals.h"

#include <atomic>
#include <mutex>
#include <optional>

namespace bench::harness {
namespace {

std::atomic<int> first = 0;  // the signal that came first
static_assert(std::atomic<int>::is_always_lock_free, "a signal handler writes it");

void note(int signal) {
  int none = 0;
  first.compare_exchange_strong(none, signal);
}

void note_once(int signal) {
  note(signal);
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
  if (holders().count++ == 0) holders().handlers.emplace(note, [](int) { return true; });
}

EndingSignals::~EndingSignals() {
  int signal = 0;
  {
    const std::lock_guard lock(holders().mutex);
    if (--holders().count > 0) return;
    holders().handlers.reset();
    signal = first.exchange(0);
  }
  if (signal) std::raise(signal);
}

int EndingSignals::received() { return first; }

InterruptGuard::InterruptGuard() : handlers_((first = 0, note_once), [](int signal) { return signal == SIGHUP; }) {}

int InterruptGuard::signal() const { return first; }

}  // namespace bench::harness
