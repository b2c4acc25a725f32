#pragma once

#include "model/kernels/element.h"

namespace bench::model {

/// n numbers as they are stored to fp32, and back with rounding to the nearest.
void widen(Element element, const void* from, float* to, std::int64_t n);
void narrow(Element element, const float* from, void* to, std::int64_t n);

}  // namespace bench::model
