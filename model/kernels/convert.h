#pragma once

#include "model/kernels/element.h"

namespace bench::model {

/// widen converts n numbers from the form in which they are stored to fp32. narrow converts them back, rounding to the
/// nearest.
void widen(Element element, const void* from, float* to, std::int64_t n);
void narrow(Element element, const float* from, void* to, std::int64_t n);

/// sum[i] += from[i] for n numbers as they are stored.
void add_widened(Element element, const void* from, float* sum, std::int64_t n);

}  // namespace bench::model
