#include "model/kernels/cached_attention.h"

#include "model/kernels/softmax.h"

#include <cmath>

// Arrays of vectors need vectors whose size the compiler knows.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/cached_attention.cpp"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target.h first.
#include "model/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::model::HWY_NAMESPACE {

// A key or value is read once for kHeads query heads.

template <int kHeads, class T>
void scores_of(const float* q, const T* keys, std::size_t tokens, std::size_t dim, float* scores) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  for (std::size_t s = 0; s < tokens; ++s) {
    const T* key = keys + s * dim;
    hn::Vec<decltype(d)> sums[kHeads];
    BENCH_UNROLL
    for (int h = 0; h < kHeads; ++h) sums[h] = hn::Zero(d);
    std::size_t i = 0;
    for (; i + hn::Lanes(d) <= dim; i += hn::Lanes(d)) {
      const auto k = load(d, key + i);
      BENCH_UNROLL
      for (int h = 0; h < kHeads; ++h)
        sums[h] = hn::MulAdd(k, load(d, q + static_cast<std::size_t>(h) * dim + i), sums[h]);
    }
    for (int h = 0; h < kHeads; ++h) {
      float sum = hn::GetLane(hn::SumOfLanes(d, sums[h]));
      for (std::size_t j = i; j < dim; ++j)
        sum += hn::GetLane(load(one, key + j)) * q[static_cast<std::size_t>(h) * dim + j];
      scores[static_cast<std::size_t>(h) * tokens + s] = sum;
    }
  }
}

template <int kHeads, class T>
void weighted_values(const float* weights, const T* values, std::size_t tokens, std::size_t dim, float* y) {
  for_each_vector(dim, [&](auto d, std::size_t i) HWY_ATTR {
    hn::Vec<decltype(d)> sums[kHeads];
    BENCH_UNROLL
    for (int h = 0; h < kHeads; ++h) sums[h] = hn::Zero(d);
    for (std::size_t s = 0; s < tokens; ++s) {
      const auto v = load(d, values + s * dim + i);
      BENCH_UNROLL
      for (int h = 0; h < kHeads; ++h)
        sums[h] = hn::MulAdd(v, hn::Set(d, weights[static_cast<std::size_t>(h) * tokens + s]), sums[h]);
    }
    for (int h = 0; h < kHeads; ++h) store(sums[h], d, y + static_cast<std::size_t>(h) * dim + i);
  });
}

void CachedAttention(Element element, const float* q, std::int64_t heads, const void* keys, const void* values,
                     std::int64_t tokens, std::int64_t dim, float* scores, float* y) {
  const auto n = static_cast<std::size_t>(tokens), width = static_cast<std::size_t>(dim);
  const float scale = 1 / std::sqrt(static_cast<float>(dim));
  with_element(element, [&](auto* type) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(type)>;
    for_fours(heads, [&](auto count, std::int64_t h) HWY_ATTR {
      float* rows = scores + h * tokens;
      scores_of<decltype(count)::value>(q + h * dim, static_cast<const T*>(keys), n, width, rows);
      for (int i = 0; i < count; ++i) causal_softmax_row(Element::kFp32, rows + i * tokens, tokens, tokens, scale);
      weighted_values<decltype(count)::value>(rows, static_cast<const T*>(values), n, width, y + h * dim);
    });
  });
}

}  // namespace bench::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench::model {
HWY_EXPORT(CachedAttention);

void cached_attention(Element element, const float* q, std::int64_t heads, const void* keys, const void* values,
                      std::int64_t tokens, std::int64_t dim, float* scores, float* y) {
  HWY_DYNAMIC_DISPATCH(CachedAttention)(element, q, heads, keys, values, tokens, dim, scores, y);
}
}  // namespace bench::model
#endif
