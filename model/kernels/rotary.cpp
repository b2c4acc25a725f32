#include "model/kernels/rotary.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/rotary.cpp"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target.h first.
#include "model/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::model::HWY_NAMESPACE {

void RotateHeads(Element element, Heads<const void*> x, const float* cos, const float* sin, Heads<void*> y,
                 std::int64_t count, std::int64_t half, bool inverse) {
  with_element(element, [&](auto* type) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(type)>;
    const auto* from = static_cast<const T*>(x.first);
    auto* to = static_cast<T*>(y.first);
    const float sign = inverse ? -1.0f : 1.0f;
    for_each_vector(static_cast<std::size_t>(half), [&](auto d, std::size_t i) HWY_ATTR {
      const auto c = load(d, cos + i), s = hn::Mul(load(d, sin + i), hn::Set(d, sign));
      for (std::int64_t h = 0; h < count; ++h) {
        const T* low = from + h * x.stride + i;
        T* out = to + h * y.stride + i;
        const auto a = load(d, low), b = load(d, low + half);
        store(hn::Sub(hn::Mul(a, c), hn::Mul(b, s)), d, out);
        store(hn::Add(hn::Mul(b, c), hn::Mul(a, s)), d, out + half);
      }
    });
  });
}

}  // namespace bench::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench::model {
HWY_EXPORT(RotateHeads);

void rotate_heads(Element element, Heads<const void*> x, const float* cos, const float* sin, Heads<void*> y,
                  std::int64_t count, std::int64_t half, bool inverse) {
  HWY_DYNAMIC_DISPATCH(RotateHeads)(element, x, cos, sin, y, count, half, inverse);
}
}  // namespace bench::model
#endif
