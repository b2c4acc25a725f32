#include "model/kernels/swiglu.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/swiglu.cpp"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target.h first.
#include "model/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::model::HWY_NAMESPACE {

/// 1 / (1 + exp(-x)). Below -87 the exponential is beyond fp32's range; there the result is 0 to its last bit.
template <class D>
HWY_INLINE hn::Vec<D> sigmoid(D d, hn::Vec<D> x) {
  const auto one = hn::Set(d, 1.0f);
  return hn::Div(one, hn::Add(one, exponential(d, hn::Neg(hn::Max(x, hn::Set(d, -87.0f))))));
}

template <class T>
void forward(const T* gate, const T* up, T* y, std::size_t n) {
  for_each_vector(n, [&](auto d, std::size_t i) HWY_ATTR {
    const auto g = load(d, gate + i);
    store(hn::Mul(hn::Mul(g, sigmoid(d, g)), load(d, up + i)), d, y + i);
  });
}

template <class T>
void backward(const T* gy, const T* gate, const T* up, T* g_gate, T* g_up, std::size_t n) {
  for_each_vector(n, [&](auto d, std::size_t i) HWY_ATTR {
    const auto g = load(d, gate + i), dy = load(d, gy + i), s = sigmoid(d, g);
    const auto slope = hn::Mul(s, hn::MulAdd(g, hn::Sub(hn::Set(d, 1.0f), s), hn::Set(d, 1.0f)));  // of silu
    store(hn::Mul(hn::Mul(dy, load(d, up + i)), slope), d, g_gate + i);
    store(hn::Mul(dy, hn::Mul(g, s)), d, g_up + i);
  });
}

void Swiglu(Element element, const void* gate, const void* up, void* y, std::int64_t n) {
  with_element(element, [&](auto* type) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(type)>;
    forward(static_cast<const T*>(gate), static_cast<const T*>(up), static_cast<T*>(y), static_cast<std::size_t>(n));
  });
}

void SwigluBackward(Element element, const void* y_gradient, const void* gate, const void* up, void* gate_gradient,
                    void* up_gradient, std::int64_t n) {
  with_element(element, [&](auto* type) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(type)>;
    backward(static_cast<const T*>(y_gradient), static_cast<const T*>(gate), static_cast<const T*>(up),
             static_cast<T*>(gate_gradient), static_cast<T*>(up_gradient), static_cast<std::size_t>(n));
  });
}

}  // namespace bench::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench::model {
HWY_EXPORT(Swiglu);
HWY_EXPORT(SwigluBackward);

void swiglu(Element element, const void* gate, const void* up, void* y, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(Swiglu)(element, gate, up, y, n);
}

void swiglu_backward(Element element, const void* y_gradient, const void* gate, const void* up, void* gate_gradient,
                     void* up_gradient, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(SwigluBackward)(element, y_gradient, gate, up, gate_gradient, up_gradient, n);
}
}  // namespace bench::model
#endif
