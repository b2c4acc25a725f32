#pragma once

#include "harness/data/tokens.h"

#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace bench::harness {

/// Training batches as a pure function of (tokens, seed, index): the stream is cut into windows of seq_length inputs
/// and their targets, and each epoch visits all windows once, in an order of its own.
class Batches {
 public:
  /// Throws Error if the stream is shorter than one window.
  Batches(TokenStream tokens, std::int64_t batch_size, std::int64_t seq_length, std::uint64_t seed);

  /// ids [B, T + 1] int64 on the CPU: inputs are the first T, targets the last T.
  torch::Tensor batch(std::int64_t index) const;
  std::int64_t windows() const { return windows_; }
  const TokenStream& tokens() const { return tokens_; }

 private:
  std::int64_t window_of(std::int64_t row) const;

  TokenStream tokens_;
  std::int64_t batch_size_, seq_length_, windows_;
  std::uint64_t seed_;
  mutable std::mutex mutex_;
  mutable std::map<std::int64_t, torch::Tensor> orders_;  // of the last epochs asked for
};

/// How many threads make batches ahead of time; the keys of the training configs.
struct LoaderConfig {
  std::int64_t num_workers = 0;      // 0: each batch is made when it is asked for
  std::int64_t prefetch_factor = 4;  // batches that each worker is ahead
  bool pin_memory = false;           // page-locked memory, which CUDA copies from faster; nothing elsewhere
};

/// Batches first, first + 1, ... in order, whatever the number of workers.
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
