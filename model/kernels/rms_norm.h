#pragma once

#include "model/kernels/element.h"

namespace bench::model {

/// y = x * scale * weight with scale = 1 / sqrt(mean(x^2) + eps), for one row of n elements. Returns the scale.
float rms_norm_row(Element element, const void* x, const float* weight, void* y, std::int64_t n, float eps);

/// Computes the gradient by x from the gradient by y, and adds the gradient by the weight to `weight_gradient`. `scale`
/// is what rms_norm_row returned.
void rms_norm_backward_row(Element element, const void* y_gradient, const void* x, const float* weight, float scale,
                           void* x_gradient, float* weight_gradient, std::int64_t n);

}  // namespace bench::model
