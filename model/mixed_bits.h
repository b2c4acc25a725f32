#pragma once

#include <cstdint>

namespace bench::model {

/// Mixes the bits of x so that each depends on all: the finaliser of SplitMix64 (Steele et al., OOPSLA 2014).
inline std::uint64_t mixed_bits(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

}  // namespace bench::model
