#pragma once

#include <cstdint>

namespace bench::model {

/// A bf16 number as it lies in memory, like at::BFloat16: the kernels know nothing of LibTorch.
struct Bf16 {
  std::uint16_t bits;
};

/// How an array's elements are stored.
enum class Element { kFp32, kBf16 };

/// Calls f with a typed null pointer that names the element's type.
template <class F>
void with_element(Element element, const F& f) {
  if (element == Element::kFp32)
    f(static_cast<float*>(nullptr));
  else
    f(static_cast<Bf16*>(nullptr));
}

}  // namespace bench::model
