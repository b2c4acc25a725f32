#include "model/kernels/cached_attention.h"

#include "model/kernels/fixed_size_targets.h"
#include "model/kernels/softmax.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/cached_attention.cpp"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target.h first.
#include "model/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::model::HWY_NAMESPACE {

// Each key or value is read once for kHeads query heads. Values are prefetched while the scores are computed from the
// keys.

template <int kHeads, class T>
void scores_of(std::integral_constant<int, kHeads>, const float* q, const T* keys, const T* values, std::size_t tokens,
               std::size_t dim, float* scores) {
  for (std::size_t s = 0; s < tokens; ++s) {
    ask_for(values + s * dim, dim);
    for (std::size_t h = 0; h < kHeads; ++h)
      scores[h * tokens + s] = sum_of(dim, [&](auto d, std::size_t i) HWY_ATTR {
        return hn::Mul(load(d, keys + s * dim + i), load(d, q + h * dim + i));
      });
  }
}

#if HWY_TARGET != HWY_SCALAR
/// sums [kKeys, 4] = keys [kKeys, dim] times q [4, dim] transposed.
template <int kKeys, class T>
HWY_INLINE void products_of_four_heads(const float* q, const T* keys, std::size_t dim, float* sums) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  Sums<hn::Vec<decltype(d)>, 4 * kKeys> products(hn::Zero(d));
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= dim; i += hn::Lanes(d)) {
    BENCH_UNROLL
    for (std::size_t k = 0; k < kKeys; ++k) {
      const auto key = load(d, keys + k * dim + i);
      BENCH_UNROLL
      for (std::size_t h = 0; h < 4; ++h) {
        auto& product = products.v[4 * k + h];
        product = hn::MulAdd(key, load(d, q + h * dim + i), product);
      }
    }
  }
  for (std::size_t k = 0; k < kKeys; ++k) {
    store_four_sums(d, products.v + 4 * k, sums + 4 * k);
    for (std::size_t j = i; j < dim; ++j)
      for (std::size_t h = 0; h < 4; ++h)
        sums[4 * k + h] += hn::GetLane(load(one, keys + k * dim + j)) * q[h * dim + j];
  }
}

/// For the plan's models, which have four query heads for each key head.
template <class T>
void scores_of(std::integral_constant<int, 4>, const float* q, const T* keys, const T* values, std::size_t tokens,
               std::size_t dim, float* scores) {
  const hn::FixedTag<float, 4> four;
  float sums[16];
  std::size_t s = 0;
  for (; s + 4 <= tokens; s += 4) {
    ask_for(values + s * dim, 4 * dim);
    products_of_four_heads<2>(q, keys + s * dim, dim, sums);
    products_of_four_heads<2>(q, keys + (s + 2) * dim, dim, sums + 8);
    hn::Vec<decltype(four)> head0, head1, head2, head3;
    hn::LoadInterleaved4(four, sums, head0, head1, head2, head3);
    hn::StoreU(head0, four, scores + s);
    hn::StoreU(head1, four, scores + tokens + s);
    hn::StoreU(head2, four, scores + 2 * tokens + s);
    hn::StoreU(head3, four, scores + 3 * tokens + s);
  }
  for (; s < tokens; ++s) {
    products_of_four_heads<1>(q, keys + s * dim, dim, sums);
    for (std::size_t h = 0; h < 4; ++h) scores[h * tokens + s] = sums[h];
  }
}

#endif  // else one by one

/// kVectors of y from column i on.
template <int kHeads, int kVectors, class D, class T>
HWY_INLINE void weighted_columns(D d, const float* weights, const T* values, std::size_t tokens, std::size_t dim,
                                 std::size_t i, float* y) {
  Sums<hn::Vec<D>, kVectors * kHeads> sums(hn::Zero(d));
  for (std::size_t s = 0; s < tokens; ++s) {
    BENCH_UNROLL
    for (std::size_t c = 0; c < kVectors; ++c) {
      const auto v = load(d, values + s * dim + i + c * hn::Lanes(d));
      BENCH_UNROLL
      for (std::size_t h = 0; h < kHeads; ++h) {
        auto& sum = sums.v[c * kHeads + h];
        sum = hn::MulAdd(v, hn::Set(d, weights[h * tokens + s]), sum);
      }
    }
  }
  for (std::size_t c = 0; c < kVectors; ++c)
    for (std::size_t h = 0; h < kHeads; ++h) store(sums.v[c * kHeads + h], d, y + h * dim + i + c * hn::Lanes(d));
}

template <int kHeads, class T>
void weighted_values(const float* weights, const T* values, std::size_t tokens, std::size_t dim, float* y) {
  const hn::ScalableTag<float> whole;
  constexpr int kAtOnce = kManyRegisters ? 4 : 2;
  const std::size_t step = kAtOnce * hn::Lanes(whole), in_steps = dim / step * step;
  for (std::size_t i = 0; i < in_steps; i += step)
    weighted_columns<kHeads, kAtOnce>(whole, weights, values, tokens, dim, i, y);
  for_each_vector(dim - in_steps, [&](auto d, std::size_t i) HWY_ATTR {
    weighted_columns<kHeads, 1>(d, weights, values, tokens, dim, in_steps + i, y);
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
      const T *all_keys = static_cast<const T*>(keys), *all_values = static_cast<const T*>(values);
      scores_of(count, q + h * dim, all_keys, all_values, n, width, rows);
      for (int i = 0; i < count; ++i) {
        float* row = rows + i * tokens;
        causal_softmax_row(Element::kFp32, row, tokens, tokens, scale, row);
      }
      weighted_values<count>(rows, all_values, n, width, y + h * dim);
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
