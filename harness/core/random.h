#pragma once

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace bench::harness {

/// A seed nobody chose. Below 2^31, so that it is the same number in every JSON reader.
inline std::int64_t drawn_seed() { return std::random_device()() & 0x7fffffff; }

/// Fisher and Yates. std::shuffle gives another order with each standard library, this gives the same everywhere.
template <class T>
void shuffle(std::vector<T>& items, std::mt19937_64& random) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random() % i]);
}

}  // namespace bench::harness
