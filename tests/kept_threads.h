#pragma once

#include <ATen/Parallel.h>

namespace bench {

/// Gives LibTorch the number of threads back that it found.
struct KeptThreads {
  KeptThreads() = default;
  KeptThreads(const KeptThreads&) = delete;
  ~KeptThreads() { at::set_num_threads(before); }
  const int before = at::get_num_threads();
};

}  // namespace bench
