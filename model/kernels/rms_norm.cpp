#include "model/kernels/rms_norm.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/rms_norm.cpp"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target.h first.
#include "model/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::model::HWY_NAMESPACE {

template <class T>
float forward(const T* x, const float* weight, T* y, std::size_t n, float eps) {
  const float squares = sum_of(n, [&](auto d, std::size_t i) HWY_ATTR {
    const auto v = load(d, x + i);
    return hn::Mul(v, v);
  });
  const float scale = 1 / std::sqrt(squares / static_cast<float>(n) + eps);
  for_each_vector(n, [&](auto d, std::size_t i) HWY_ATTR {
    store(hn::Mul(hn::Mul(load(d, x + i), hn::Set(d, scale)), load(d, weight + i)), d, y + i);
  });
  return scale;
}

template <class T>
void backward(const T* gy, const T* x, const float* weight, float scale, T* gx, float* gw, std::size_t n) {
  // With h = x * scale: gx = scale * (gy * w - h * mean(gy * w * h)).
  const float products = sum_of(n, [&](auto d, std::size_t i) HWY_ATTR {
    return hn::Mul(hn::Mul(load(d, gy + i), load(d, weight + i)), load(d, x + i));
  });
  const float mean = products * scale / static_cast<float>(n);
  for_each_vector(n, [&](auto d, std::size_t i) HWY_ATTR {
    const auto h = hn::Mul(load(d, x + i), hn::Set(d, scale));
    const auto g = load(d, gy + i);
    store(hn::MulAdd(g, h, load(d, gw + i)), d, gw + i);
    const auto weighted = hn::Mul(g, load(d, weight + i));
    store(hn::Mul(hn::Set(d, scale), hn::NegMulAdd(h, hn::Set(d, mean), weighted)), d, gx + i);
  });
}

float RmsNormRow(Element element, const void* x, const float* weight, void* y, std::int64_t n, float eps) {
  float scale = 0;
  with_element(element, [&](auto* type) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(type)>;
    scale = forward(static_cast<const T*>(x), weight, static_cast<T*>(y), static_cast<std::size_t>(n), eps);
  });
  return scale;
}

void RmsNormBackwardRow(Element element, const void* y_gradient, const void* x, const float* weight, float scale,
                        void* x_gradient, float* weight_gradient, std::int64_t n) {
  with_element(element, [&](auto* type) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(type)>;
    backward(static_cast<const T*>(y_gradient), static_cast<const T*>(x), weight, scale, static_cast<T*>(x_gradient),
             weight_gradient, static_cast<std::size_t>(n));
  });
}

}  // namespace bench::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench::model {
HWY_EXPORT(RmsNormRow);
HWY_EXPORT(RmsNormBackwardRow);

float rms_norm_row(Element element, const void* x, const float* weight, void* y, std::int64_t n, float eps) {
  return HWY_DYNAMIC_DISPATCH(RmsNormRow)(element, x, weight, y, n, eps);
}

void rms_norm_backward_row(Element element, const void* y_gradient, const void* x, const float* weight, float scale,
                           void* x_gradient, float* weight_gradient, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(RmsNormBackwardRow)(element, y_gradient, x, weight, scale, x_gradient, weight_gradient, n);
}
}  // namespace bench::model
#endif
