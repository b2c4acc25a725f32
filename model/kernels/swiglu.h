#pragma once

#include "model/kernels/element.h"

namespace bench::model {

/// y = silu(gate) * up, n elements. y may be one of the inputs.
void swiglu(Element element, const void* gate, const void* up, void* y, std::int64_t n);

/// Computes the gradients by gate and up from the gradient by y. `gate_gradient` may be `y_gradient` itself.
void swiglu_backward(Element element, const void* y_gradient, const void* gate, const void* up, void* gate_gradient,
                     void* up_gradient, std::int64_t n);

}  // namespace bench::model
