#pragma once

#include "harness/data/tokens.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace bench::harness {

/// Training batches as a pure function of (tokens, seed, index). The stream is cut into windows of seq_length inputs
/// and their targets. Each epoch visits every window once, in an order of its own.
class Batches {
 public:
  /// Throws Error if the stream is shorter than one window.
  Batches(TokenStream tokens, std::int64_t batch_size, std::int64_t seq_length, std::uint64_t seed);

  /// The ids [B, T + 1] int64 on the CPU: the inputs are the first T, the targets the last T.
  torch::Tensor batch(std::int64_t index) const;
  std::int64_t windows() const { return windows_; }
  const TokenStream& tokens() const { return tokens_; }

 private:
  std::int64_t window_of(std::int64_t row) const;

  TokenStream tokens_;
  std::int64_t batch_size_, seq_length_, windows_;
  std::uint64_t seed_;
  mutable std::mutex mutex_;
  mutable std::map<std::int64_t, torch::Tensor> orders_;  // the order of windows in each of the last epochs asked for
};

/// How batches are made ahead of time. These are keys of the training configs.
struct LoaderConfig {
  std::int64_t num_workers = 0;      // 0: each batch is made when it is asked for
  std::int64_t prefetch_factor = 4;  // how many batches each worker makes ahead
  bool pin_memory = false;           // page-locked memory, from which CUDA copies faster; no effect elsewhere
};

/// Gives batches first, first + 1, ... in order, whatever the number of workers.
class Prefetcher {
 public:
  Prefetcher(const Batches& batches, const LoaderConfig& config, std::int64_t first);
  ~Prefetcher();

  torch::Tensor next();

 private:
  void work();
  torch::Tensor make(std::int64_t index) const;

  const Batches& batches_;
  LoaderConfig config_;
  std::int64_t next_, claimed_;
  std::map<std::int64_t, torch::Tensor> ready_;
  std::exception_ptr failure_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  std::vector<std::thread> workers_;
};

}  // namespace bench::harness
