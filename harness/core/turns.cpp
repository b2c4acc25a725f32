#include "harness/core/turns.h"

#include "harness/core/error.h"

#include <cerrno>
#include <csignal>
#include <unistd.h>

namespace bench::harness {
namespace {

constexpr char kToken = '.';

bool write_token(int fd) {
  while (true) {
    const ssize_t n = ::write(fd, &kToken, 1);
    if (n == 1) return true;
    if (n < 0 && errno != EINTR) return false;
  }
}

bool read_token(int fd) {
  char token = 0;
  while (true) {
    const ssize_t n = ::read(fd, &token, 1);
    if (n >= 0) return n == 1;
    if (errno != EINTR) return false;
  }
}

}  // namespace

void Turns::wait() const {
  if (!write_token(kReadyFd) || !read_token(kGoFd))
    throw Error::at_run_time("turns", "the process that gives the turns has ended");
}

TurnGiver::TurnGiver() {
  std::signal(SIGPIPE, SIG_IGN);  // write() then fails if the other process has died
}

void TurnGiver::close_child_ends() {
  go_.read_end = Descriptor();
  ready_.write_end = Descriptor();
}

bool TurnGiver::await_ready() const { return read_token(ready_.read_end.number()); }

void TurnGiver::go() const { write_token(go_.write_end.number()); }

}  // namespace bench::harness
