#include "model/fused/work_stealing.h"

#include <atomic>
#include <optional>
#include <vector>

#include <ATen/Parallel.h>

namespace bench::model {
namespace {

/// Pieces first .. last - 1 that nobody has taken. Each stretch has a cache line to itself, or threads would wait for
/// each other's stretches.
class alignas(64) Stretch {
 public:
  void set(std::int64_t first, std::int64_t last) { left_ = pack(first, last); }
  std::optional<std::int64_t> take_first() { return take(true); }
  std::optional<std::int64_t> take_last() { return take(false); }

 private:
  static std::uint64_t pack(std::int64_t first, std::int64_t last) {
    return static_cast<std::uint64_t>(first) << 32 | static_cast<std::uint64_t>(last);
  }
  std::optional<std::int64_t> take(bool from_front) {
    std::uint64_t left = left_;
    while (true) {
      const auto first = static_cast<std::int64_t>(left >> 32), last = static_cast<std::int64_t>(left & 0xFFFFFFFF);
      if (first == last) return {};
      const std::uint64_t rest = from_front ? pack(first + 1, last) : pack(first, last - 1);
      if (left_.compare_exchange_weak(left, rest)) return from_front ? first : last - 1;
    }
  }

  std::atomic<std::uint64_t> left_ = 0;  // both ends, so that they change together
};

}  // namespace

void for_each_stealing(std::int64_t pieces, const std::function<void(std::int64_t)>& f) {
  const std::int64_t threads = at::get_num_threads();
  std::vector<Stretch> stretches(static_cast<std::size_t>(threads));
  const auto stretch = [&](std::int64_t t) -> Stretch& { return stretches[static_cast<std::size_t>(t % threads)]; };
  for (std::int64_t t = 0; t < threads; ++t) stretch(t).set(pieces * t / threads, pieces * (t + 1) / threads);
  at::parallel_for(0, threads, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t) {
      while (const auto piece = stretch(t).take_first()) f(*piece);
      for (std::int64_t other = t + 1; other < t + threads; ++other)
        while (const auto piece = stretch(other).take_last()) f(*piece);
    }
  });
}

}  // namespace bench::model
