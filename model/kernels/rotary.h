#pragma once

#include "model/kernels/element.h"

namespace bench::model {

/// Heads of one token: head h begins h * stride elements behind the first.
template <class Pointer>
struct Heads {
  Pointer first;
  std::int64_t stride;
};

/// Turns `count` heads of one token, in the half-split layout: dimension d turns together with dimension d + half, by
/// the angle whose cos[d] and sin[d] are given. `inverse` turns them back, which is also the gradient. y may be x. Each
/// head has 2 * half elements.
void rotate_heads(Element element, Heads<const void*> x, const float* cos, const float* sin, Heads<void*> y,
                  std::int64_t count, std::int64_t half, bool inverse);

}  // namespace bench::model
