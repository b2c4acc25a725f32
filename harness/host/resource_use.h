#pragma once

#include <sys/resource.h>

namespace bench::harness {

/// The processor time that getrusage or wait4 reported, in seconds.
inline double cpu_seconds(const rusage& use) {
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(use.ru_utime) + seconds(use.ru_stime);
}

/// The peak memory, in bytes, of the largest process that getrusage or wait4 reported on. ru_maxrss is in KiB, but on
/// macOS in bytes.
inline double peak_bytes(const rusage& use) {
#ifdef __APPLE__
  return static_cast<double>(use.ru_maxrss);
#else
  return 1024 * static_cast<double>(use.ru_maxrss);
#endif
}

}  // namespace bench::harness
