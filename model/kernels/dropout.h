#pragma once

#include "model/kernels/element.h"

namespace bench::model {

/// Which elements a dropout keeps, as a function of their place. So nothing needs to be stored for the backward pass,
/// and the choice depends neither on the threads nor on the order of the work.
struct DropoutMask {
  std::uint64_t seed = 0;       // of this call
  std::uint32_t threshold = 0;  // an element is dropped when its 32 random bits are below: probability * 2^32
  float scale = 1;              // of those that are kept: 1 / (1 - probability)
};

/// The number of elements that are masked together. `first` and the length of a piece must be multiples of it, except
/// for the length of the last piece.
inline constexpr std::int64_t kDropoutGroup = 64;

/// y[i] = residual[i] + (kept ? x[i] * scale : 0) for the n elements from place `first` on. The pointers point to the
/// element at that place. Without a residual (null), y[i] is the second summand alone. y may be one of the inputs.
void dropout_add(Element element, const DropoutMask& mask, const void* residual, const void* x, void* y,
                 std::int64_t first, std::int64_t n);

}  // namespace bench::model
