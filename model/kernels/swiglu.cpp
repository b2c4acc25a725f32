#include "model/kernels/swiglu.h"

#include "model/kernels/fixed_size_targets.h"

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
  for_each_round(n, [&](auto r, std::size_t i) HWY_ATTR {
    const auto product = [&](auto g, auto u) HWY_ATTR { return hn::Mul(hn::Mul(g, sigmoid(r.d, g)), u); };
    store(each(product, load(r, gate + i), load(r, up + i)), r, y + i);
  });
}

template <class T>
void backward(const T* gy, const T* gate, const T* up, T* g_gate, T* g_up, std::size_t n) {
  // With two vectors of fp32 the registers ran out, and it was a fifth slower. In bf16 two vectors save more on loads
  // and stores than that.
  constexpr int kVectors = std::is_same_v<T, float> ? 1 : kRoundVectors;
  for_each_round<kVectors>(n, [&](auto r, std::size_t i) HWY_ATTR {
    const auto g = load(r, gate + i), dy = load(r, gy + i), u = load(r, up + i);
    const auto s = each([&](auto x) HWY_ATTR { return sigmoid(r.d, x); }, g);
    const auto by_gate = [&](auto x, auto y_gradient, auto other, auto sigma) HWY_ATTR {
      const auto one = hn::Set(r.d, 1.0f);
      const auto slope = hn::Mul(sigma, hn::MulAdd(x, hn::Sub(one, sigma), one));  // of silu
      return hn::Mul(hn::Mul(y_gradient, other), slope);
    };
    const auto by_up = [](auto x, auto y_gradient, auto sigma)
                           HWY_ATTR { return hn::Mul(y_gradient, hn::Mul(x, sigma)); };
    store(each(by_gate, g, dy, u, s), r, g_gate + i);
    store(each(by_up, g, dy, s), r, g_up + i);
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
