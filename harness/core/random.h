#pragma once

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

namespace bench::harness {

/// A random seed, for when the user chose none. It is below 2^31, so that every JSON reader reads the same number.
inline std::int64_t drawn_seed() { return std::random_device()() & 0x7fffffff; }

/// Shuffles by the method of Fisher and Yates. Unlike std::shuffle, whose order depends on the standard library, this
/// gives the same order everywhere.
template <class T>
void shuffle(std::vector<T>& items, std::mt19937_64& random) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random() % i]);
}

}  // namespace bench::harness
