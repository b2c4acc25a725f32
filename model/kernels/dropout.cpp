#include "model/kernels/dropout.h"

#include "model/kernels/fixed_size_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/dropout.cpp"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target.h first.
#include "model/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::model::HWY_NAMESPACE {

using Counter = hn::CappedTag<std::uint64_t, kDropoutGroup / 8>;
using CounterVector = hn::Vec<Counter>;

/// product: of the lower halves of `a` with a factor. store_by_turns: the lower halves of both, the first of `even`
/// first. Vectors have halves as elements of 32 bits; a single element of the scalar target is cut by arithmetic.
#if HWY_TARGET == HWY_SCALAR
HWY_INLINE CounterVector product(CounterVector a, std::uint32_t factor) {
  return hn::Set(Counter(), (hn::GetLane(a) & 0xFFFFFFFFu) * factor);
}
HWY_INLINE void store_by_turns(CounterVector even, CounterVector odd, std::uint32_t* to) {
  to[0] = static_cast<std::uint32_t>(hn::GetLane(even));
  to[1] = static_cast<std::uint32_t>(hn::GetLane(odd));
}
#else
using Halves = hn::Repartition<std::uint32_t, Counter>;
HWY_INLINE CounterVector product(CounterVector a, std::uint32_t factor) {
  return hn::MulEven(hn::BitCast(Halves(), a), hn::Set(Halves(), factor));
}
HWY_INLINE void store_by_turns(CounterVector even, CounterVector odd, std::uint32_t* to) {
  hn::StoreU(hn::OddEven(hn::BitCast(Halves(), hn::ShiftLeft<32>(odd)), hn::BitCast(Halves(), even)), Halves(), to);
}
#endif

/// Four words of 32 bits of some counters, each in the lower half of an element; the upper halves are whatever comes.
struct RandomWords {
  CounterVector w0, w1, w2, w3;
};

HWY_INLINE RandomWords philox_round(const RandomWords& w, CounterVector k0, CounterVector k1) {
  const auto p0 = product(w.w0, 0xD2511F53u), p1 = product(w.w2, 0xCD9E8D57u);
  return {hn::Xor(hn::Xor(hn::ShiftRight<32>(p1), w.w1), k0), p1, hn::Xor(hn::Xor(hn::ShiftRight<32>(p0), w.w3), k1),
          p0};
}

/// The 64 random words of `group` by Philox 4x32 with 10 rounds (Salmon et al., SC 2011): the first word of each of its
/// 16 counters, the second of each, and so on.
HWY_INLINE void random_words(std::uint64_t seed, std::uint64_t group, std::uint32_t (&words)[kDropoutGroup]) {
  constexpr std::size_t kCounters = kDropoutGroup / 4;
  const Counter d;
  for (std::size_t i = 0; i < kCounters; i += 2 * hn::Lanes(d)) {
    RandomWords even{hn::ShiftLeft<1>(hn::Iota(d, i / 2)), hn::Zero(d), hn::Set(d, group), hn::Set(d, group >> 32)},
        odd = even;
    odd.w0 = hn::Add(even.w0, hn::Set(d, 1));
    auto k0 = hn::Set(d, seed), k1 = hn::Set(d, seed >> 32);
    for (int round = 0; round < 10; ++round) {  // of both, since each has to wait for its products
      even = philox_round(even, k0, k1);
      odd = philox_round(odd, k0, k1);
      k0 = hn::Add(k0, hn::Set(d, 0x9E3779B9u));
      k1 = hn::Add(k1, hn::Set(d, 0xBB67AE85u));
    }
    store_by_turns(even.w0, odd.w0, words + i);
    store_by_turns(even.w1, odd.w1, words + kCounters + i);
    store_by_turns(even.w2, odd.w2, words + 2 * kCounters + i);
    store_by_turns(even.w3, odd.w3, words + 3 * kCounters + i);
  }
}

template <class T>
void masked_sum(const DropoutMask& mask, const T* residual, const T* x, T* y, std::uint64_t group, std::size_t n) {
  std::uint32_t words[kDropoutGroup];
  random_words(mask.seed, group, words);
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
