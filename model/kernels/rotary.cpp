#include "model/kernels/rotary.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/rotary.cpp"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target.h first.
#include "model/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::model::HWY_NAMESPACE {

void RotaryRow(Element element, const void* x, const float* cos, const float* sin, void* y, std::int64_t half,
               bool inverse) {
  with_element(element, [&](auto* type) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(type)>;
    const T *low = static_cast<const T*>(x), *high = low + half;
    T* out = static_cast<T*>(y);
    const float sign = inverse ? -1.0f : 1.0f;
    for_each_vector(static_cast<std::size_t>(half), [&](auto d, std::size_t i) HWY_ATTR {
      const auto c = load(d, cos + i), s = hn::Mul(load(d, sin + i), hn::Set(d, sign));
      const auto a = load(d, low + i), b = load(d, high + i);
      store(hn::Sub(hn::Mul(a, c), hn::Mul(b, s)), d, out + i);
      store(hn::Add(hn::Mul(b, c), hn::Mul(a, s)), d, out + half + static_cast<std::int64_t>(i));
    });
  });
}

}  // namespace bench::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench::model {
HWY_EXPORT(RotaryRow);

void rotary_row(Element element, const void* x, const float* cos, const float* sin, void* y, std::int64_t half,
                bool inverse) {
  HWY_DYNAMIC_DISPATCH(RotaryRow)(element, x, cos, sin, y, half, inverse);
}
}  // namespace bench::model
#endif
