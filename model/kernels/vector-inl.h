// Included once per instruction set by Highway's foreach_target.h: see any .cpp in this folder.
#if defined(BENCH_MODEL_KERNELS_VECTOR_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BENCH_MODEL_KERNELS_VECTOR_INL_H
#undef BENCH_MODEL_KERNELS_VECTOR_INL_H
#else
#define BENCH_MODEL_KERNELS_VECTOR_INL_H
#endif

#include "model/kernels/element.h"

#include <cstddef>
#include <hwy/highway.h>
#include <type_traits>

// Compilers unroll such small loops only when they are told to.
#ifndef BENCH_UNROLL
#define BENCH_UNROLL _Pragma("GCC unroll 8")
#endif

HWY_BEFORE_NAMESPACE();
namespace bench::model::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// True for AVX-512, which has 32 vector registers. The choices that depend on this were measured there.
constexpr bool kManyRegisters = hn::MaxLanes(hn::ScalableTag<float>()) >= 16;

/// Prefetches n elements, which a later loop reads, into the second level of the cache.
template <class T>
HWY_INLINE void ask_for(const T* from, std::size_t n) {
  constexpr std::size_t kLine = 64 / sizeof(T);
  for (std::size_t i = 0; i < n; i += kLine) __builtin_prefetch(from + i, /*rw=*/0, /*locality=*/2);
}

/// Prefetches, with AVX2 only, what a single stream through memory comes to next: 1 KB further on. On a Zen 3, loops
/// then reach 85 to 95 % of the speed of a sum over the same memory, instead of 70 to 85 %; with 512 bytes or 2 KB they
/// reach less. A Zen 4 (AVX-512) fetches ahead better by itself: 60 GB/s without this prefetch, at most 45 with it. No
/// other processors were measured.
template <class T>
HWY_INLINE void ask_ahead(const T* from) {
  constexpr std::ptrdiff_t kAheadBytes = 1024;
  if constexpr (HWY_TARGET == HWY_AVX2)
    __builtin_prefetch(reinterpret_cast<const char*>(from) + kAheadBytes, /*rw=*/0, /*locality=*/3);
}

/// Numbers are read and written as they are stored, and worked on in fp32.
template <class D>
HWY_INLINE hn::Vec<D> load(D d, const float* from) {
  return hn::LoadU(d, from);
}
template <class D>
HWY_INLINE hn::Vec<D> load(D d, const Bf16* from) {
  const hn::Rebind<std::uint16_t, D> half;
  const hn::RebindToUnsigned<D> bits;
  const auto wide = hn::PromoteTo(bits, hn::LoadU(half, reinterpret_cast<const std::uint16_t*>(from)));
  return hn::BitCast(d, hn::ShiftLeft<16>(wide));
}

template <class D>
HWY_INLINE void store(hn::Vec<D> v, D d, float* to) {
  hn::StoreU(v, d, to);
}
/// The bits of v, with its bf16 number in the upper half of each element: rounded to the nearest, ties to even, as
/// LibTorch does. A NaN may become a number unless its lower half is 0.
template <class D>
HWY_INLINE hn::Vec<hn::RebindToUnsigned<D>> rounded_bits(D /*d*/, hn::Vec<D> v) {
  const hn::RebindToUnsigned<D> bits;
  const auto raw = hn::BitCast(bits, v);
  const auto odd = hn::And(hn::ShiftRight<16>(raw), hn::Set(bits, 1u));
  return hn::Add(raw, hn::Add(odd, hn::Set(bits, 0x7FFFu)));
}

/// A NaN stays a NaN.
template <class D>
HWY_INLINE void store(hn::Vec<D> v, D d, Bf16* to) {
  const hn::Rebind<std::uint16_t, D> half;
  const hn::RebindToUnsigned<D> bits;
  const hn::RebindToSigned<D> integers;
  const auto chosen =
      hn::IfThenElse(hn::RebindMask(bits, hn::IsNaN(v)), hn::Set(bits, 0x7FC00000u), rounded_bits(d, v));
  hn::StoreU(hn::DemoteTo(half, hn::BitCast(integers, hn::ShiftRight<16>(chosen))), half,
             reinterpret_cast<std::uint16_t*>(to));
}

/// exp(x) for x <= 88. The result is 0 for x below -87, where exp(x) would leave the normal numbers. The relative error
/// is up to 3e-7 for |x| <= 16 and 1.3e-6 for all x (1e-6 and 4e-6 without fused multiply-add). This takes half as many
/// instructions as Highway's exponential, which is exact to a unit in the last place and reaches further.
template <class D>
HWY_INLINE hn::Vec<D> exponential(D d, hn::Vec<D> x) {
  const hn::RebindToSigned<D> integers;
  const auto log2_e = hn::Set(d, 1.44269504f);
  // Adding this to a small number leaves the nearest integer in the lowest bits, with the bias of an exponent.
  const auto shift = hn::Set(d, 0x1.8p23f + 127);
  const auto shifted = hn::MulAdd(x, log2_e, shift);
  const auto f = hn::MulSub(x, log2_e, hn::Sub(shifted, shift));  // exp(x) = 2^integer 2^f, |f| <= 1/2
  auto y = hn::Set(d, 0.000153533620f);                           // minimax of the relative error, 1 where f = 0
  y = hn::MulAdd(y, f, hn::Set(d, 0.00133988750f));
  y = hn::MulAdd(y, f, hn::Set(d, 0.00961843692f));
  y = hn::MulAdd(y, f, hn::Set(d, 0.0555033237f));
  y = hn::MulAdd(y, f, hn::Set(d, 0.240226477f));
  y = hn::MulAdd(y, f, hn::Set(d, 0.693147182f));
  y = hn::MulAdd(y, f, hn::Set(d, 1.0f));
  const auto power = hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(integers, shifted)));
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -87.0f)), hn::Mul(y, power));  // what isn't a number stays that
}

/// Calls f(d, i) for vectors of the elements i .. i + Lanes(d) - 1. Together the calls cover 0 .. n - 1: first whole
/// vectors, then single elements.
template <class F>
HWY_INLINE void for_each_vector(std::size_t n, const F& f) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) f(d, i);
  for (; i < n; ++i) f(one, i);
}

/// sum[i] += from[i] for n numbers.
template <class T>
HWY_INLINE void add(const T* from, float* sum, std::int64_t n) {
  for_each_vector(static_cast<std::size_t>(n), [&](auto d, std::size_t i) HWY_ATTR {
    store(hn::Add(load(d, sum + i), load(d, from + i)), d, sum + i);
  });
}

/// Sum of what f(d, i) returns for 0 .. n - 1. Four partial sums hide the latency of additions.
template <class F>
HWY_INLINE float sum_of(std::size_t n, const F& f) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const std::size_t lanes = hn::Lanes(d);
  auto s0 = hn::Zero(d), s1 = hn::Zero(d), s2 = hn::Zero(d), s3 = hn::Zero(d);
  std::size_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    s0 = hn::Add(s0, f(d, i));
    s1 = hn::Add(s1, f(d, i + lanes));
    s2 = hn::Add(s2, f(d, i + 2 * lanes));
    s3 = hn::Add(s3, f(d, i + 3 * lanes));
  }
  for (; i + lanes <= n; i += lanes) s0 = hn::Add(s0, f(d, i));
  float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
  for (; i < n; ++i) sum += hn::GetLane(f(one, i));
  return sum;
}

/// Largest of what f(d, i) returns for 0 .. n - 1, n > 0.
template <class F>
HWY_INLINE float max_of(std::size_t n, const F& f) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  const std::size_t lanes = hn::Lanes(d);
  std::size_t i = 0;
  float most = hn::GetLane(f(one, 0));
  if (n >= lanes) {
    auto m = f(d, 0);
    for (i = lanes; i + lanes <= n; i += lanes) m = hn::Max(m, f(d, i));
    most = hn::GetLane(hn::MaxOfLanes(d, m));
  }
  for (; i < n; ++i) most = HWY_MAX(most, hn::GetLane(f(one, i)));
  return most;
}

/// The elements that one round of a loop works on: two vectors, or a single element in the last rounds. Only where a
/// vector's size is known: fixed_size_targets.h.
constexpr int kRoundVectors = HWY_TARGET == HWY_SCALAR ? 1 : 2;
template <class D, int kCount>
struct Round {
  D d;
  HWY_INLINE std::size_t elements() const { return kCount * hn::Lanes(d); }
};
template <class D, int kCount>
struct Vectors {
  hn::Vec<D> v[kCount];
};

/// Applies f to each vector of the rounds.
template <class F, class D, int kCount, class... More>
HWY_INLINE Vectors<D, kCount> each(const F& f, const Vectors<D, kCount>& first, const More&... more) {
  Vectors<D, kCount> result;
  BENCH_UNROLL
  for (int k = 0; k < kCount; ++k) result.v[k] = f(first.v[k], more.v[k]...);
  return result;
}

template <class D, int kCount>
HWY_INLINE Vectors<D, kCount> load(const Round<D, kCount>& round, const float* from) {
  Vectors<D, kCount> result;
  BENCH_UNROLL
  for (int k = 0; k < kCount; ++k) result.v[k] = load(round.d, from + static_cast<std::size_t>(k) * hn::Lanes(round.d));
  return result;
}
template <class D>
HWY_INLINE Vectors<D, 1> load(const Round<D, 1>& round, const Bf16* from) {
  return {{load(round.d, from)}};
}
#if HWY_TARGET != HWY_SCALAR
/// Returns the even elements, then the odd ones. A shift and a mask widen a whole vector; widening its halves would
/// take two loads and two shuffles more.
template <class D>
HWY_INLINE Vectors<D, 2> load(const Round<D, 2>& round, const Bf16* from) {
  const hn::Repartition<std::uint16_t, D> narrow;
  const hn::RebindToUnsigned<D> bits;
  const auto both = hn::BitCast(bits, hn::LoadU(narrow, reinterpret_cast<const std::uint16_t*>(from)));
  return {
      {hn::BitCast(round.d, hn::ShiftLeft<16>(both)), hn::BitCast(round.d, hn::And(both, hn::Set(bits, 0xFFFF0000u)))}};
}
#endif

template <class D, int kCount>
HWY_INLINE void store(const Vectors<D, kCount>& x, const Round<D, kCount>& round, float* to) {
  BENCH_UNROLL
  for (int k = 0; k < kCount; ++k) store(x.v[k], round.d, to + static_cast<std::size_t>(k) * hn::Lanes(round.d));
}
template <class D>
HWY_INLINE void store(const Vectors<D, 1>& x, const Round<D, 1>& round, Bf16* to) {
  store(x.v[0], round.d, to);
}
#if HWY_TARGET != HWY_SCALAR
/// Like the store of one vector, but for numbers computed from bf16 ones. A NaN then needs no special care: its lower
/// half is 0, so rounding can't carry it into another sign.
template <class D>
HWY_INLINE void store(const Vectors<D, 2>& x, const Round<D, 2>& round, Bf16* to) {
  const hn::Repartition<std::uint16_t, D> narrow;
  const hn::RebindToUnsigned<D> bits;
  const auto even = hn::ShiftRight<16>(rounded_bits(round.d, x.v[0])),
             odd = hn::And(rounded_bits(round.d, x.v[1]), hn::Set(bits, 0xFFFF0000u));
  hn::StoreU(hn::BitCast(narrow, hn::Or(even, odd)), narrow, reinterpret_cast<std::uint16_t*>(to));
}
#endif

/// Calls f(round, i) for rounds of elements that begin with element i. Together the rounds cover 0 .. n - 1.
template <int kVectors = kRoundVectors, class F>
HWY_INLINE void for_each_round(std::size_t n, const F& f) {
  const Round<hn::ScalableTag<float>, kVectors> whole;
  const Round<hn::CappedTag<float, 1>, 1> one;
  std::size_t i = 0;
  for (; i + whole.elements() <= n; i += whole.elements()) f(whole, i);
  for (; i < n; ++i) f(one, i);
}

/// Sum of what f(round, i) returns for 0 .. n - 1. Two rounds' partial sums hide the latency of additions.
template <class F>
HWY_INLINE float sum_of_rounds(std::size_t n, const F& f) {
  const Round<hn::ScalableTag<float>, kRoundVectors> whole;
  const Round<hn::CappedTag<float, 1>, 1> one;
  const auto add = [](auto a, auto b) HWY_ATTR { return hn::Add(a, b); };
  Vectors<hn::ScalableTag<float>, kRoundVectors> s, t;
  for (auto& v : s.v) v = hn::Zero(whole.d);
  t = s;
  std::size_t i = 0;
  for (; i + 2 * whole.elements() <= n; i += 2 * whole.elements()) {
    s = each(add, s, f(whole, i));
    t = each(add, t, f(whole, i + whole.elements()));
  }
  for (; i + whole.elements() <= n; i += whole.elements()) s = each(add, s, f(whole, i));
  s = each(add, s, t);
  auto v = s.v[0];
  for (int k = 1; k < kRoundVectors; ++k) v = hn::Add(v, s.v[k]);
  float sum = hn::GetLane(hn::SumOfLanes(whole.d, v));
  for (; i < n; ++i) sum += hn::GetLane(f(one, i).v[0]);
  return sum;
}

/// Largest of what f(round, i) returns for 0 .. n - 1, n > 0.
template <class F>
HWY_INLINE float max_of_rounds(std::size_t n, const F& f) {
  const Round<hn::ScalableTag<float>, kRoundVectors> whole;
  const Round<hn::CappedTag<float, 1>, 1> one;
  const auto larger = [](auto a, auto b) HWY_ATTR { return hn::Max(a, b); };
  std::size_t i = 0;
  float most = hn::GetLane(f(one, 0).v[0]);
  if (n >= whole.elements()) {
    auto m = f(whole, 0);
    for (i = whole.elements(); i + whole.elements() <= n; i += whole.elements()) m = each(larger, m, f(whole, i));
    for (const auto& v : m.v) most = HWY_MAX(most, hn::GetLane(hn::MaxOfLanes(whole.d, v)));
  }
  for (; i < n; ++i) most = HWY_MAX(most, hn::GetLane(f(one, i).v[0]));
  return most;
}

#if HWY_TARGET != HWY_SCALAR
template <class D>
HWY_INLINE hn::Vec<hn::FixedTag<float, 4>> sum_of_blocks(D d, hn::Vec<D> v) {
  if constexpr (hn::MaxLanes(d) <= 4) {
    return v;
  } else {
    const hn::Half<D> half;
    return sum_of_blocks(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)));
  }
}

/// The sums of the lanes of four vectors, computed together: one by one they would cost more than the products that
/// they add up.
template <class D>
HWY_INLINE hn::Vec<hn::FixedTag<float, 4>> four_sums(D d, const hn::Vec<D>* v) {
  const hn::Repartition<std::uint64_t, D> pairs;
  const auto halves = [&](auto a, auto b) HWY_ATTR {
    return hn::BitCast(pairs, hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b)));
  };
  const auto ab = halves(v[0], v[1]), ce = halves(v[2], v[3]);
  return sum_of_blocks(d, hn::Add(hn::BitCast(d, hn::InterleaveLower(pairs, ab, ce)),
                                  hn::BitCast(d, hn::InterleaveUpper(pairs, ab, ce))));
}
#endif

/// to[0 .. 3] = the sums of the lanes of four vectors. Only where a vector's size is known: fixed_size_targets.h.
template <class D>
HWY_INLINE void store_four_sums([[maybe_unused]] D d, const hn::Vec<D>* v, float* to) {
#if HWY_TARGET == HWY_SCALAR
  for (int i = 0; i < 4; ++i) to[i] = hn::GetLane(v[i]);
#else
  hn::StoreU(four_sums(d, v), hn::FixedTag<float, 4>(), to);
#endif
}

/// kCount sums that begin with 0, kept in registers. Only where a vector's size is known: fixed_size_targets.h.
template <class V, int kCount>
struct Sums {
  V v[kCount];
  HWY_INLINE explicit Sums(V zero) {
    BENCH_UNROLL
    for (int i = 0; i < kCount; ++i) v[i] = zero;
  }
};

/// Calls f(std::integral_constant<int, count>, first) for 4, 2 or 1 of 0 .. n - 1 at a time. What these share is then
/// loaded once.
template <class F>
HWY_INLINE void for_fours(std::int64_t n, const F& f) {
  std::int64_t i = 0;
  for (; i + 4 <= n; i += 4) f(std::integral_constant<int, 4>(), i);
  for (; i + 2 <= n; i += 2) f(std::integral_constant<int, 2>(), i);
  for (; i < n; ++i) f(std::integral_constant<int, 1>(), i);
}

}  // namespace bench::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
