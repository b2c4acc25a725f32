#pragma once

#include "model/kernels/element.h"

namespace bench::model {

/// Negative log-likelihood of `target` under one row of n logits, in nats. With a `gradient_scale` other than 0 the
/// logits become their gradient times that: gradient_scale * (softmax(logits) - one_hot(target)).
float cross_entropy_row(Element element, void* logits, std::int64_t n, std::int64_t target, float gradient_scale);

}  // namespace bench::model
