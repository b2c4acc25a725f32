#include "model/kernels/cross_entropy.h"

#include "model/kernels/fixed_size_targets.h"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/cross_entropy.cpp"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target.h first.
#include "model/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::model::HWY_NAMESPACE {

template <class T>
float row(T* x, std::size_t n, std::size_t target, float gradient_scale) {
  const float most = max_of_rounds(n, [&](auto r, std::size_t i) HWY_ATTR { return load(r, x + i); });
  const auto unscaled = [&](auto r, std::size_t i) HWY_ATTR {
    return each([&](auto score) HWY_ATTR { return exponential(r.d, hn::Sub(score, hn::Set(r.d, most))); },
                load(r, x + i));
  };
  const float sum = sum_of_rounds(n, unscaled);
  const hn::CappedTag<float, 1> one;
  const float score = hn::GetLane(load(one, x + target));
  const float nll = std::log(sum) + most - score;
  if (gradient_scale == 0) return nll;
  const float factor = gradient_scale / sum;
  for_each_round(n, [&](auto r, std::size_t i) HWY_ATTR {
    store(each([&](auto e) HWY_ATTR { return hn::Mul(e, hn::Set(r.d, factor)); }, unscaled(r, i)), r, x + i);
  });
  // Computed anew, not by subtracting from the number that was already rounded to the element's type.
  store(hn::Set(one, gradient_scale * (std::exp(-nll) - 1)), one, x + target);
  return nll;
}

float CrossEntropyRow(Element element, void* logits, std::int64_t n, std::int64_t target, float gradient_scale) {
  float nll = 0;
  with_element(element, [&](auto* type) HWY_ATTR {
    nll = row(static_cast<decltype(type)>(logits), static_cast<std::size_t>(n), static_cast<std::size_t>(target),
              gradient_scale);
  });
  return nll;
}

}  // namespace bench::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench::model {
HWY_EXPORT(CrossEntropyRow);

float cross_entropy_row(Element element, void* logits, std::int64_t n, std::int64_t target, float gradient_scale) {
  return HWY_DYNAMIC_DISPATCH(CrossEntropyRow)(element, logits, n, target, gradient_scale);
}
}  // namespace bench::model
#endif
