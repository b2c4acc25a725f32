#include "model/kernels/dropout.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/dropout.cpp"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target.h first.
#include "model/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::model::HWY_NAMESPACE {

/// Philox 4x32 with 10 rounds (Salmon et al., SC 2011) of 16 counters side by side: the 64 random words of `group`.
/// Plain loops, which the compiler turns into vectors of this instruction set.
void philox(std::uint64_t seed, std::uint64_t group, std::uint32_t (&words)[kDropoutGroup]) {
  constexpr int kLanes = kDropoutGroup / 4;
  std::uint32_t *c0 = words, *c1 = c0 + kLanes, *c2 = c1 + kLanes, *c3 = c2 + kLanes;
  for (int i = 0; i < kLanes; ++i) {
    c0[i] = static_cast<std::uint32_t>(i);
    c1[i] = 0;
    c2[i] = static_cast<std::uint32_t>(group);
    c3[i] = static_cast<std::uint32_t>(group >> 32);
  }
  auto k0 = static_cast<std::uint32_t>(seed), k1 = static_cast<std::uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
    for (int i = 0; i < kLanes; ++i) {
      const std::uint64_t p0 = std::uint64_t{c0[i]} * 0xD2511F53u, p1 = std::uint64_t{c2[i]} * 0xCD9E8D57u;
      c0[i] = static_cast<std::uint32_t>(p1 >> 32) ^ c1[i] ^ k0;
      c1[i] = static_cast<std::uint32_t>(p1);
      c2[i] = static_cast<std::uint32_t>(p0 >> 32) ^ c3[i] ^ k1;
      c3[i] = static_cast<std::uint32_t>(p0);
    }
}

template <class T>
void masked_sum(const DropoutMask& mask, const T* residual, const T* x, T* y, std::uint64_t group, std::size_t n) {
  std::uint32_t words[kDropoutGroup];
  philox(mask.seed, group, words);
  for_each_vector(n, [&](auto d, std::size_t i) HWY_ATTR {
    const hn::RebindToUnsigned<decltype(d)> bits;
    // Unsigned comparison of what is at least the threshold: max(a, b) == a.
    const auto word = hn::LoadU(bits, words + i);
    const auto kept = hn::MaskFromVec(
        hn::BitCast(d, hn::VecFromMask(bits, hn::Eq(hn::Max(word, hn::Set(bits, mask.threshold)), word))));
    const auto part = hn::IfThenElseZero(kept, hn::Mul(load(d, x + i), hn::Set(d, mask.scale)));
    store(residual ? hn::Add(load(d, residual + i), part) : part, d, y + i);
  });
}

void DropoutAdd(Element element, const DropoutMask& mask, const void* residual, const void* x, void* y,
                std::int64_t first, std::int64_t n) {
  with_element(element, [&](auto* type) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(type)>;
    const T *base = static_cast<const T*>(residual), *from = static_cast<const T*>(x);
    T* to = static_cast<T*>(y);
    for (std::int64_t i = 0; i < n; i += kDropoutGroup)
      masked_sum(mask, base ? base + i : nullptr, from + i, to + i,
                 static_cast<std::uint64_t>((first + i) / kDropoutGroup),
                 static_cast<std::size_t>(HWY_MIN(kDropoutGroup, n - i)));
  });
}

}  // namespace bench::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench::model {
HWY_EXPORT(DropoutAdd);

void dropout_add(Element element, const DropoutMask& mask, const void* residual, const void* x, void* y,
                 std::int64_t first, std::int64_t n) {
  HWY_DYNAMIC_DISPATCH(DropoutAdd)(element, mask, residual, x, y, first, n);
}
}  // namespace bench::model
#endif
