#include "harness/data/batches.h"

#include "harness/core/error.h"

#include <algorithm>

#include <fmt/format.h>

namespace bench::harness {

Batches::Batches(TokenStream tokens, std::int64_t batch_size, std::int64_t seq_length, std::uint64_t seed)
    : tokens_(std::move(tokens)),
      batch_size_(batch_size),
      seq_length_(seq_length),
      windows_((tokens_.size() - 1) / seq_length),
      seed_(seed) {
  if (windows_ < 1)
    throw Error(tokens_.source, fmt::format("has {} tokens, one window needs {}", tokens_.size(), seq_length + 1),
                "use a longer text or a smaller max_seq_length");
}

std::int64_t Batches::window_of(std::int64_t row) const {
  const std::int64_t epoch = row / windows_;
  const std::lock_guard lock(mutex_);
  auto found = orders_.find(epoch);
  if (found == orders_.end()) {
    const at::Generator generator = at::detail::createCPUGenerator(seed_ + static_cast<std::uint64_t>(epoch));
    while (orders_.size() >= 2) orders_.erase(orders_.begin());  // a batch may span two epochs
    found = orders_.emplace(epoch, torch::randperm(windows_, generator)).first;
  }
  return found->second[row % windows_].item<std::int64_t>();
}

torch::Tensor Batches::batch(std::int64_t index) const {
  std::vector<torch::Tensor> rows;
  for (std::int64_t i = 0; i < batch_size_; ++i)
    rows.push_back(tokens_.ids.narrow(0, window_of(index * batch_size_ + i) * seq_length_, seq_length_ + 1));
  return torch::stack(rows).to(torch::kInt64);  // [B, T + 1]
}

Prefetcher::Prefetcher(const Batches& batches, const LoaderConfig& config, std::int64_t first)
    : batches_(batches), config_(config), next_(first), claimed_(first) {
  for (std::int64_t i = 0; i < config.num_workers; ++i) workers_.emplace_back([this] { work(); });
}

Prefetcher::~Prefetcher() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  for (auto& worker : workers_) worker.join();
}

torch::Tensor Prefetcher::make(std::int64_t index) const {
  const torch::Tensor batch = batches_.batch(index);
  return config_.pin_memory && at::globalContext().hasCUDA() ? batch.pin_memory() : batch;
}

void Prefetcher::work() {
  const std::int64_t ahead = std::max<std::int64_t>(config_.num_workers * config_.prefetch_factor, 1);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stop_ || claimed_ < next_ + ahead; });
    if (stop_) return;
    const std::int64_t index = claimed_++;
    lock.unlock();
    torch::Tensor batch;
    std::exception_ptr failure;
    try {
      batch = make(index);
    } catch (...) {
      failure = std::current_exception();  // shown to the one who waits for the batch
    }
    lock.lock();
    if (failure) failure_ = failure;
    ready_[index] = batch;
    changed_.notify_all();
  }
}

torch::Tensor Prefetcher::next() {
  if (workers_.empty()) return make(next_++);
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return failure_ || ready_.count(next_) > 0; });
  if (failure_) std::rethrow_exception(failure_);
  const torch::Tensor batch = ready_.extract(next_).mapped();
  ++next_;
  changed_.notify_all();
  return batch;
}

}  // namespace bench::harness
