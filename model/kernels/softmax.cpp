#include "model/kernels/softmax.h"

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

template <class T>
float softmax_row(T* x, std::size_t width, std::size_t valid, float scale, float* exponentials) {
  // scale > 0, so the largest score is also the largest scaled one.
  float most = max_of(valid, [&](auto d, std::size_t i) HWY_ATTR { return load(d, x + i); }) * scale;
  if (!(std::abs(most) < 0x1p30f)) most = NAN;  // its rounding alone would be more than exponents of a power hold
  const float sum = sum_of(valid, [&](auto d, std::size_t i) HWY_ATTR {
    const auto e = exponential(d, hn::MulSub(load(d, x + i), hn::Set(d, scale), hn::Set(d, most)));
    store(e, d, exponentials + i);
    return e;
  });
  for_each_vector(valid, [&](auto d, std::size_t i)
                             HWY_ATTR { store(hn::Mul(load(d, exponentials + i), hn::Set(d, 1 / sum)), d, x + i); });
  fill_zero(x, valid, width);
  return most + std::log(sum);
}

template <class T>
void softmax_backward_row(T* x, T* g, std::size_t width, std::size_t valid, float scale, float log_sum) {
  const float delta = sum_of(valid, [&](auto d, std::size_t i) HWY_ATTR {
    const auto p = exponential(d, hn::MulSub(load(d, x + i), hn::Set(d, scale), hn::Set(d, log_sum)));
    store(p, d, x + i);
    return hn::Mul(p, load(d, g + i));
  });
  for_each_vector(valid, [&](auto d, std::size_t i) HWY_ATTR {
    const auto centred = hn::Sub(load(d, g + i), hn::Set(d, delta));
    store(hn::Mul(hn::Mul(load(d, x + i), hn::Set(d, scale)), centred), d, g + i);
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
