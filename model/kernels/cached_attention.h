#pragma once

#include "model/kernels/element.h"

namespace bench::model {

/// Attention of one new token in the heads that share one head of keys and values: y = softmax(q k^T / sqrt(dim)) v.
/// q, y [heads, dim] fp32; keys, values [tokens, dim] as the cache stores them; scores [heads, tokens] is scratch.
void cached_attention(Element element, const float* q, std::int64_t heads, const void* keys, const void* values,
                      std::int64_t tokens, std::int64_t dim, float* scores, float* y);

}  // namespace bench::model
