#pragma once

#include "model/kernels/element.h"

namespace bench::model {

/// One row of attention: of `width` scores the first `valid` count, the others are of later tokens.
/// scores become softmax(scale * scores), 0 from `valid` on. Returns log(sum(exp(scale * scores))).
/// `exponentials` is memory for `valid` numbers, so that bf16 is rounded to once; fp32 scores may lend their own.
float causal_softmax_row(Element element, void* scores, std::int64_t width, std::int64_t valid, float scale,
                         float* exponentials);

/// The same row in the backward pass. scores become the probabilities p = exp(scale * scores - log_sum); `gradients` g
/// by probability become those by score, scale * p * (g - sum of p * g). The sum is taken from the very numbers that it
/// is subtracted from, so that its rounding in bf16 cancels.
void causal_softmax_backward_row(Element element, void* scores, void* gradients, std::int64_t width, std::int64_t valid,
                                 float scale, float log_sum);

}  // namespace bench::model
