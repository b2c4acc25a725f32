#include "model/kernels/softmax.h"

#include "model/kernels/fixed_size_targets.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/softmax.cpp"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target.h first.
#include "model/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::model::HWY_NAMESPACE {

template <class T>
void fill_zero(T* to, std::size_t from, std::size_t n) {
  for_each_vector(n - from, [&](auto d, std::size_t i) HWY_ATTR { store(hn::Zero(d), d, to + from + i); });
}

/// exp(scale * score - shift) of a round of scores.
template <class R, class T>
HWY_INLINE auto exponentials_of(const R& r, const T* scores, float scale, float shift) {
  return each([&](auto score)
                  HWY_ATTR { return exponential(r.d, hn::MulSub(score, hn::Set(r.d, scale), hn::Set(r.d, shift))); },
              load(r, scores));
}

template <class T>
float softmax_row(T* x, std::size_t width, std::size_t valid, float scale, float* exponentials) {
  // scale > 0, so the largest score is also the largest scaled one.
  float most = max_of_rounds(valid, [&](auto r, std::size_t i) HWY_ATTR { return load(r, x + i); }) * scale;
  if (!(std::abs(most) < 0x1p30f)) most = NAN;  // its rounding alone would be more than exponents of a power hold
  const float sum = sum_of_rounds(valid, [&](auto r, std::size_t i) HWY_ATTR {
    const auto e = exponentials_of(r, x + i, scale, most);
    store(e, r, exponentials + i);
    return e;
  });
  for_each_round(valid, [&](auto r, std::size_t i) HWY_ATTR {
    // In the order in which they were put there.
    store(each([&](auto e) HWY_ATTR { return hn::Mul(e, hn::Set(r.d, 1 / sum)); }, load(r, exponentials + i)), r,
          x + i);
  });
  fill_zero(x, valid, width);
  return most + std::log(sum);
}

template <class T>
void softmax_backward_row(T* x, T* g, std::size_t width, std::size_t valid, float scale, float log_sum) {
  const float delta = sum_of_rounds(valid, [&](auto r, std::size_t i) HWY_ATTR {
    const auto p = exponentials_of(r, x + i, scale, log_sum);
    store(p, r, x + i);
    return each([](auto a, auto b) HWY_ATTR { return hn::Mul(a, b); }, p, load(r, g + i));
  });
  for_each_round(valid, [&](auto r, std::size_t i) HWY_ATTR {
    const auto gradient = [&](auto p, auto by_p) HWY_ATTR {
      return hn::Mul(hn::Mul(p, hn::Set(r.d, scale)), hn::Sub(by_p, hn::Set(r.d, delta)));
    };
    store(each(gradient, load(r, x + i), load(r, g + i)), r, g + i);
  });
  fill_zero(x, valid, width);
  fill_zero(g, valid, width);
}

float CausalSoftmaxRow(Element element, void* scores, std::int64_t width, std::int64_t valid, float scale,
                       float* exponentials) {
  float log_sum = 0;
  with_element(element, [&](auto* type) HWY_ATTR {
    log_sum = softmax_row(static_cast<decltype(type)>(scores), static_cast<std::size_t>(width),
                          static_cast<std::size_t>(valid), scale, exponentials);
  });
  return log_sum;
}

void CausalSoftmaxBackwardRow(Element element, void* scores, void* gradients, std::int64_t width, std::int64_t valid,
                              float scale, float log_sum) {
  with_element(element, [&](auto* type) HWY_ATTR {
    using T = decltype(type);
    softmax_backward_row(static_cast<T>(scores), static_cast<T>(gradients), static_cast<std::size_t>(width),
                         static_cast<std::size_t>(valid), scale, log_sum);
  });
}

}  // namespace bench::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench::model {
HWY_EXPORT(CausalSoftmaxRow);
HWY_EXPORT(CausalSoftmaxBackwardRow);

float causal_softmax_row(Element element, void* scores, std::int64_t width, std::int64_t valid, float scale,
                         float* exponentials) {
  return HWY_DYNAMIC_DISPATCH(CausalSoftmaxRow)(element, scores, width, valid, scale, exponentials);
}

void causal_softmax_backward_row(Element element, void* scores, void* gradients, std::int64_t width, std::int64_t valid,
                                 float scale, float log_sum) {
  HWY_DYNAMIC_DISPATCH(CausalSoftmaxBackwardRow)(element, scores, gradients, width, valid, scale, log_sum);
}
}  // namespace bench::model
#endif
