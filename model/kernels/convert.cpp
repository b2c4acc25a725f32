#include "model/kernels/convert.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/convert.cpp"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target.h first.
#include "model/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::model::HWY_NAMESPACE {

template <class From, class To>
void convert(const From* from, To* to, std::int64_t n) {
  for_each_vector(static_cast<std::size_t>(n),
                  [&](auto d, std::size_t i) HWY_ATTR { store(load(d, from + i), d, to + i); });
}

void Widen(Element element, const void* from, float* to, std::int64_t n) {
  with_element(element, [&](auto* type) HWY_ATTR {
    convert(static_cast<const std::remove_pointer_t<decltype(type)>*>(from), to, n);
  });
}

void AddWidened(Element element, const void* from, float* sum, std::int64_t n) {
  with_element(element, [&](auto* type)
                            HWY_ATTR { add(static_cast<const std::remove_pointer_t<decltype(type)>*>(from), sum, n); });
}

void Narrow(Element element, const float* from, void* to, std::int64_t n) {
  with_element(element, [&](auto* type) HWY_ATTR { convert(from, static_cast<decltype(type)>(to), n); });
}

}  // namespace bench::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench::model {
HWY_EXPORT(Widen);
HWY_EXPORT(AddWidened);
HWY_EXPORT(Narrow);

void widen(Element element, const void* from, float* to, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(Widen)(element, from, to, n);
}

void add_widened(Element element, const void* from, float* sum, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(AddWidened)(element, from, sum, n);
}

void narrow(Element element, const float* from, void* to, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(Narrow)(element, from, to, n);
}
}  // namespace bench::model
#endif
