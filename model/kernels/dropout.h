#pragma once

#include "model/kernels/element.h"

namespace bench::model {

/// Which elements a dropout keeps, as a function of their place: nothing needs to be stored for the backward pass, and
/// neither threads nor the order of the work change it.
struct DropoutMask {
  std::uint64_t seed = 0;       // of this call
  std::uint32_t threshold = 0;  // an element is dropped when its 32 random bits are below: probability * 2^32
  float scale = 1;              // of those that are kept: 1 / (1 - probability)
};

/// Elements that are masked together: `first` and the length of a piece must be multiples of it, but for the last.
inline constexpr std::int64_t kDropoutGroup = 64;

/// y[i] = residual[i] + (kept ? x[i] * scale : 0) for the n elements from place `first` on; the pointers are those of
/// that place. Without a residual (null) the sum's second part alone. y may be one of the inputs.
void dropout_add(Element element, const DropoutMask& mask, const void* residual, const void* x, void* y,
                 std::int64_t first, std::int64_t n);

}  // namespace bench::model
