#include "harness/core/pipe.h"

#include "harness/core/error.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace bench::harness {

constexpr int kFirstFd = 10;

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

}  // namespace bench::harness
