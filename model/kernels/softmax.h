#pragma once

#include "model/kernels/element.h"

namespace bench::model {

/// The softmax of one row of attention scores. The first `valid` of the `width` scores count; the others belong to
/// later tokens. scores become softmax(scale * scores), 0 from `valid` on. Returns log(sum(exp(scale * scores))).
/// `exponentials` is memory for `valid` numbers; thanks to it, bf16 results are rounded only once. fp32 scores may be
/// their own `exponentials`.
float causal_softmax_row(Element element, void* scores, std::int64_t width, std::int64_t valid, float scale,
                         float* exponentials);

/// The backward pass of the same row. scores become the probabilities p = exp(scale * scores - log_sum). `gradients` go
/// in as the gradients g by probability and become the gradients by score: scale * p * (g - sum of p * g). The sum is
/// taken from the very numbers that it is subtracted from, so that its rounding in bf16 cancels.
void causal_softmax_backward_row(Element element, void* scores, void* gradients, std::int64_t width, std::int64_t valid,
                                 float scale, float log_sum);

}  // namespace bench::model
