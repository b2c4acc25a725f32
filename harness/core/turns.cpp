#include "harness/core/turns.h"

#include "harness/core/error.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace bench::harness {
namespace {

constexpr char kToken = '.';
constexpr int kFirstFd = 10;  // above the two that a child gets, so that those can be set without overwriting

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

/// Reading and writing end, which no other process inherits.
void make_pipe(int& read_end, int& write_end) {
  int ends[2];
  if (::pipe(ends) != 0) throw Error::at_run_time("pipe", std::strerror(errno));
  read_end = ::fcntl(ends[0], F_DUPFD_CLOEXEC, kFirstFd);
  write_end = ::fcntl(ends[1], F_DUPFD_CLOEXEC, kFirstFd);
  ::close(ends[0]);
  ::close(ends[1]);
  if (read_end < 0 || write_end < 0) throw Error::at_run_time("pipe", std::strerror(errno));
}

void close_and_forget(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

}  // namespace

void Turns::wait() const {
  if (!write_token(kReadyFd) || !read_token(kGoFd))
    throw Error::at_run_time("turns", "the process that gives the turns has ended");
}

TurnGiver::TurnGiver() {
  std::signal(SIGPIPE, SIG_IGN);  // a process that died is noticed by what write() returns
  make_pipe(child_go_, go_);
  make_pipe(ready_, child_ready_);
}

TurnGiver::~TurnGiver() {
  for (int* fd : {&go_, &ready_, &child_go_, &child_ready_}) close_and_forget(*fd);
}

void TurnGiver::close_child_ends() {
  close_and_forget(child_go_);
  close_and_forget(child_ready_);
}

bool TurnGiver::await_ready() const { return read_token(ready_); }

void TurnGiver::go() const { write_token(go_); }

}  // namespace bench::harness
