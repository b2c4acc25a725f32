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
#define BENCH_UNROLL _Pragma("GCC unroll 8")

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

/// Calls f with the number of heads, 4 at most at a time, and the first of them.
template <class F>
HWY_INLINE void for_heads(std::size_t heads, const F& f) {
  std::size_t h = 0;
  for (; h + 4 <= heads; h += 4) f(std::integral_constant<int, 4>(), h);
  for (; h + 2 <= heads; h += 2) f(std::integral_constant<int, 2>(), h);
  for (; h < heads; ++h) f(std::integral_constant<int, 1>(), h);
}

void Scores(Element element, const float* q, std::int64_t heads, const void* keys, std::int64_t tokens,
            std::int64_t dim, float* scores) {
  with_element(element, [&](auto* type) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(type)>;
    const auto n = static_cast<std::size_t>(tokens), width = static_cast<std::size_t>(dim);
    for_heads(static_cast<std::size_t>(heads), [&](auto count, std::size_t h) HWY_ATTR {
      scores_of<decltype(count)::value>(q + h * width, static_cast<const T*>(keys), n, width, scores + h * n);
    });
  });
}

void WeightedValues(Element element, const float* weights, std::int64_t heads, const void* values, std::int64_t tokens,
                    std::int64_t dim, float* y) {
  with_element(element, [&](auto* type) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(type)>;
    const auto n = static_cast<std::size_t>(tokens), width = static_cast<std::size_t>(dim);
    for_heads(static_cast<std::size_t>(heads), [&](auto count, std::size_t h) HWY_ATTR {
      weighted_values<decltype(count)::value>(weights + h * n, static_cast<const T*>(values), n, width, y + h * width);
    });
  });
}

void Widen(Element element, const void* from, float* to, std::int64_t n) {
  with_element(element, [&](auto* type) HWY_ATTR {
    for_each_vector(static_cast<std::size_t>(n), [&](auto d, std::size_t i) HWY_ATTR {
      store(load(d, static_cast<const std::remove_pointer_t<decltype(type)>*>(from) + i), d, to + i);
    });
  });
}

void Narrow(Element element, const float* from, void* to, std::int64_t n) {
  with_element(element, [&](auto* type) HWY_ATTR {
    for_each_vector(static_cast<std::size_t>(n), [&](auto d, std::size_t i) HWY_ATTR {
      store(load(d, from + i), d, static_cast<decltype(type)>(to) + i);
    });
  });
}

}  // namespace bench::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench::model {
HWY_EXPORT(Scores);
HWY_EXPORT(WeightedValues);
HWY_EXPORT(Widen);
HWY_EXPORT(Narrow);

void cached_attention(Element element, const float* q, std::int64_t heads, const void* keys, const void* values,
                      std::int64_t tokens, std::int64_t dim, float* scores, float* y) {
  HWY_DYNAMIC_DISPATCH(Scores)(element, q, heads, keys, tokens, dim, scores);
  const float scale = 1 / std::sqrt(static_cast<float>(dim));
  for (std::int64_t h = 0; h < heads; ++h)
    causal_softmax_row(Element::kFp32, scores + h * tokens, tokens, tokens, scale);
  HWY_DYNAMIC_DISPATCH(WeightedValues)(element, scores, heads, values, tokens, dim, y);
}

void widen(Element element, const void* from, float* to, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(Widen)(element, from, to, n);
}

void narrow(Element element, const float* from, void* to, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(Narrow)(element, from, to, n);
}
}  // namespace bench::model
#endif
