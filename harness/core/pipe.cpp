#include "harness/core/pipe.h"

#include "harness/core/error.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>

namespace bench::harness {

constexpr int kFirstFd = 10;

Pipe::Pipe() {
  int ends[2];
  if (::pipe(ends) != 0) throw Error::at_run_time("pipe", std::strerror(errno));
  const Descriptor low_read_end(ends[0]), low_write_end(ends[1]);
  read_end = Descriptor(::fcntl(ends[0], F_DUPFD_CLOEXEC, kFirstFd));
  write_end = Descriptor(::fcntl(ends[1], F_DUPFD_CLOEXEC, kFirstFd));
  if (!read_end.is_open() || !write_end.is_open()) throw Error::at_run_time("pipe", std::strerror(errno));
}

}  // namespace bench::harness
