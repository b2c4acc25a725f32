#pragma once

#include <cstdint>
#include <random>

namespace bench::model {

/// Sizes that nobody chose, the same on every run and machine.
class RandomSizes {
 public:
  explicit RandomSizes(std::uint64_t seed) : random_(seed) {}
  /// 1 .. most.
  std::int64_t up_to(std::int64_t most) {
    return 1 + static_cast<std::int64_t>(random_() % static_cast<std::uint64_t>(most));
  }
  /// 1, 3 .. most.
  std::int64_t odd_up_to(std::int64_t most) { return 2 * up_to((most + 1) / 2) - 1; }

 private:
  std::mt19937_64 random_;  // specified to the bit by the C++ standard
};

}  // namespace bench::model
