#pragma once

#include "model/kernels/element.h"

namespace bench::model {

/// Returns the negative log-likelihood of `target` under one row of n logits, in nats. If `gradient_scale` isn't 0, the
/// logits are replaced by their gradient times gradient_scale: gradient_scale * (softmax(logits) - one_hot(target)).
float cross_entropy_row(Element element, void* logits, std::int64_t n, std::int64_t target, float gradient_scale);

}  // namespace bench::model
