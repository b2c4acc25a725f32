#pragma once

#include "model/kernels/element.h"

namespace bench::model {

/// Turns one head of one token, in the half-split layout: dimensions d and d + half by the angle whose cos[d] and
/// sin[d] are given. `inverse` turns back, which is also the gradient. y may be x. x, y [2 * half].
void rotary_row(Element element, const void* x, const float* cos, const float* sin, void* y, std::int64_t half,
                bool inverse);

}  // namespace bench::model
