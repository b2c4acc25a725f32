#include "model/kernels/gemv_quantized.h"

#include "model/kernels/fixed_size_targets.h"

#include <cstring>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/gemv_quantized.cpp"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target.h first.
#include "model/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::model::HWY_NAMESPACE {

// Weights are taken as numbers from 0 on (q + 128 or q + 8). One reason is that the instructions for bytes multiply an
// unsigned number by a signed one; the other is that 4 bits come out of a byte in this form. The tokens' sums are then
// used to subtract what this adds.

constexpr std::size_t kGroup = kGroupColumns, kBlock = kBlockColumns;

/// Numbers of 16 bits, on any instruction set.
struct Words {
  using D16 = hn::ScalableTag<std::int16_t>;
  using D32 = hn::RepartitionToWide<D16>;
  using V32 = hn::Vec<D32>;

  template <class D>
  HWY_INLINE static void put(D, hn::Vec<D> q, std::size_t column, std::size_t, std::int8_t* numbers) {
    const hn::Rebind<std::int16_t, D> d16;
    hn::StoreU(hn::DemoteTo(d16, q), d16, reinterpret_cast<std::int16_t*>(numbers) + column);
  }
  template <class D>
  HWY_INLINE static void put_small(D d, hn::Vec<D> q, std::size_t column, std::int8_t* numbers) {
    put(d, q, column, 0, numbers);
  }

  /// Products with one token of one or two groups' weights, added up as they go by.
  struct Dot {
    V32 low, high;
    HWY_INLINE Dot() : low(hn::Zero(D32())), high(hn::Zero(D32())) {}
    HWY_INLINE void add(hn::Vec<D16> weight, const std::int8_t* numbers, std::size_t column) {
      const auto x = hn::LoadU(D16(), reinterpret_cast<const std::int16_t*>(numbers) + column);
      low = hn::ReorderWidenMulAccumulate(D32(), weight, x, low, high);
    }
    HWY_INLINE V32 total() const { return hn::Add(low, high); }
    HWY_INLINE V32 small_total() const { return total(); }
  };

  /// dots += weight * x over the group's columns.
  template <int kTokens>
  HWY_INLINE static void add_int8(const std::int8_t* w, const std::int8_t* x, std::size_t padded, std::size_t group,
                                  Dot* dots) {
    const hn::Rebind<std::int8_t, D16> d8;
    BENCH_UNROLL
    for (std::size_t i = group; i < group + kGroup; i += hn::Lanes(D16())) {
      const auto weight = hn::Add(hn::PromoteTo(D16(), hn::LoadU(d8, w + i)), hn::Set(D16(), 128));
      BENCH_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) dots[t].add(weight, x + 2 * t * padded, i);
    }
  }

  /// Does the same over the block's two groups.
  template <int kTokens>
  HWY_INLINE static void add_int4(const std::uint8_t* w, const std::int8_t* x, std::size_t padded, std::size_t block,
                                  Dot* dots0, Dot* dots1) {
    const hn::Rebind<std::uint8_t, D16> d8;
    BENCH_UNROLL
    for (std::size_t i = 0; i < kGroup; i += hn::Lanes(D16())) {
      const auto both = hn::PromoteTo(D16(), hn::LoadU(d8, w + block / 2 + i));
      const auto first = hn::And(both, hn::Set(D16(), 15)), second = hn::ShiftRight<4>(both);
      BENCH_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        dots0[t].add(first, x + 2 * t * padded, block + i);
        dots1[t].add(second, x + 2 * t * padded, block + kGroup + i);
      }
    }
  }
};

#undef BENCH_HAVE_BYTES
#define BENCH_HAVE_BYTES (HWY_TARGET <= HWY_AVX3 && HWY_ARCH_X86_64)

#if BENCH_HAVE_BYTES
/// AVX-512 with VNNI: 64 bytes multiplied by 64 at once, four products added to each sum. A number's upper and lower
/// byte stand apart; small numbers have but one. Three times as fast as words.
struct Bytes {
  using D8 = hn::Full512<std::int8_t>;
  using U8 = hn::Full512<std::uint8_t>;
  using D32 = hn::Full512<std::int32_t>;
  using V32 = hn::Vec<D32>;

  template <class D>
  HWY_INLINE static void put(D, hn::Vec<D> q, std::size_t column, std::size_t padded, std::int8_t* numbers) {
    const hn::Rebind<std::int8_t, D> d8;
    const auto lower = hn::ShiftRight<24>(hn::ShiftLeft<24>(q));  // with its sign
    hn::StoreU(hn::DemoteTo(d8, hn::ShiftRight<8>(hn::Sub(q, lower))), d8, numbers + column);
    hn::StoreU(hn::DemoteTo(d8, lower), d8, numbers + padded + column);
  }
  template <class D>
  HWY_INLINE static void put_small(D, hn::Vec<D> q, std::size_t column, std::int8_t* numbers) {
    const hn::Rebind<std::int8_t, D> d8;
    hn::StoreU(hn::DemoteTo(d8, q), d8, numbers + column);
  }

  struct Dot {
    V32 upper, lower;
    HWY_INLINE Dot() : upper(hn::Zero(D32())), lower(hn::Zero(D32())) {}
    HWY_INLINE void add(hn::Vec<U8> weight, const std::int8_t* numbers, std::size_t padded, std::size_t column) {
      multiply(weight, hn::LoadU(D8(), numbers + column), upper);
      multiply(weight, hn::LoadU(D8(), numbers + padded + column), lower);
    }
    HWY_INLINE void add_small(hn::Vec<U8> weight, const std::int8_t* numbers, std::size_t column) {
      multiply(weight, hn::LoadU(D8(), numbers + column), lower);
    }
    HWY_INLINE V32 total() const { return hn::Add(hn::ShiftLeft<8>(upper), lower); }
    HWY_INLINE V32 small_total() const { return lower; }

    /// Highway 1.0 has no name for this instruction, and its AVX-512 target works without it. So this is written in
    /// assembler, and the code below asks the processor whether it has the instruction.
    HWY_INLINE static void multiply(hn::Vec<U8> weight, hn::Vec<D8> x, V32& sum) {
      __asm__("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(weight.raw), "v"(x.raw));
    }
  };

  template <int kTokens>
  HWY_INLINE static void add_int8(const std::int8_t* w, const std::int8_t* x, std::size_t padded, std::size_t group,
                                  Dot* dots) {
    const auto weight = hn::Xor(hn::LoadU(U8(), reinterpret_cast<const std::uint8_t*>(w) + group), hn::Set(U8(), 128));
    BENCH_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) dots[t].add(weight, x + 2 * t * padded, padded, group);
  }

  template <int kTokens>
  HWY_INLINE static void add_int4(const std::uint8_t* w, const std::int8_t* x, std::size_t padded, std::size_t block,
                                  Dot* dots0, Dot* dots1) {
    const hn::Repartition<std::uint16_t, U8> words;
    const auto both = hn::LoadU(U8(), w + block / 2), mask = hn::Set(U8(), 15);
    const auto first = hn::And(both, mask);
    const auto second = hn::And(hn::BitCast(U8(), hn::ShiftRight<4>(hn::BitCast(words, both))), mask);
    BENCH_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) {
      dots0[t].add_small(first, x + 2 * t * padded, block);
      dots1[t].add_small(second, x + 2 * t * padded, block + kGroup);
    }
  }
};
#endif

template <class Numbers>
struct Products {
  using D = hn::RebindToFloat<typename Numbers::D32>;

  /// out[t] = sum over columns of (w + 128) * x[t], without the scales.
  template <int kTokens>
  HWY_INLINE static void int8_row(const std::int8_t* w, const std::int8_t* x, std::size_t padded, float* out) {
    Sums<hn::Vec<D>, kTokens> sums(hn::Zero(D()));
    for (std::size_t block = 0; block < padded; block += kBlock) {
      ask_ahead(w + block);
      ask_ahead(w + block + kGroup);
      typename Numbers::Dot whole[kTokens];
      Numbers::template add_int8<kTokens>(w, x, padded, block, whole);
      Numbers::template add_int8<kTokens>(w, x, padded, block + kGroup, whole);
      BENCH_UNROLL
      for (int t = 0; t < kTokens; ++t) sums.v[t] = hn::Add(sums.v[t], hn::ConvertTo(D(), whole[t].total()));
    }
    BENCH_UNROLL
    for (int t = 0; t < kTokens; ++t) out[t] = hn::GetLane(hn::SumOfLanes(D(), sums.v[t]));
  }

  /// Does the same for (w + 8) * x[t]. Here the sums already include the scales [kTokens, padded / 64] of weights times
  /// tokens.
  template <int kTokens>
  HWY_INLINE static void int4_row(const std::uint8_t* w, const float* scales, const std::int8_t* x, std::size_t padded,
                                  float* out) {
    Sums<hn::Vec<D>, kTokens> sums(hn::Zero(D()));
    for (std::size_t block = 0; block < padded; block += kBlock) {
      ask_ahead(w + block / 2);
      typename Numbers::Dot whole0[kTokens], whole1[kTokens];
      Numbers::template add_int4<kTokens>(w, x, padded, block, whole0, whole1);
      BENCH_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const float* scale = scales + (t * padded + block) / kGroup;
        sums.v[t] = hn::MulAdd(hn::ConvertTo(D(), whole0[t].small_total()), hn::Set(D(), scale[0]), sums.v[t]);
        sums.v[t] = hn::MulAdd(hn::ConvertTo(D(), whole1[t].small_total()), hn::Set(D(), scale[1]), sums.v[t]);
      }
    }
    BENCH_UNROLL
    for (int t = 0; t < kTokens; ++t) out[t] = hn::GetLane(hn::SumOfLanes(D(), sums.v[t]));
  }

  static void int8(const WeightRows& weight, const QuantizedTokens& x, std::int64_t first, std::int64_t last, float* y,
                   std::int64_t y_stride) {
    const std::int64_t padded = padded_columns(weight.columns), groups = padded / kGroupColumns;
    std::vector<float> too_much;  // of each token
    for (std::int64_t t = 0; t < x.tokens; ++t)
      too_much.push_back(128 * sum_of(static_cast<std::size_t>(groups), [&](auto d, std::size_t i) HWY_ATTR {
                           return load(d, x.sums + t * groups + i);
                         }));
    for (std::int64_t row = first; row < last; ++row)
      for_fours(x.tokens, [&](auto count, std::int64_t token) HWY_ATTR {
        float out[count] = {};
        int8_row<count>(static_cast<const std::int8_t*>(weight.values) + row * padded, x.numbers + 2 * token * padded,
                        static_cast<std::size_t>(padded), out);
        const float scale = static_cast<const float*>(weight.scales)[row];
        for (std::int64_t t = 0; t < count; ++t)
          y[(token + t) * y_stride + row] =
              (out[t] - too_much[static_cast<std::size_t>(token + t)]) * scale * x.scales[(token + t) * groups];
      });
  }

  static void int4(const WeightRows& weight, const QuantizedTokens& x, std::int64_t first, std::int64_t last, float* y,
                   std::int64_t y_stride) {
    const std::int64_t padded = padded_columns(weight.columns), groups = padded / kGroupColumns;
    const auto n = static_cast<std::size_t>(groups);
    std::vector<float> scales(4 * n);
    for (std::int64_t row = first; row < last; ++row) {
      const auto* of_weights = static_cast<const Bf16*>(weight.scales) + row * groups;
      for_fours(x.tokens, [&](auto count, std::int64_t token) HWY_ATTR {
        float out[count] = {}, too_much[count] = {};
        for (std::size_t t = 0; t < count; ++t) {
          const std::int64_t at = (token + static_cast<std::int64_t>(t)) * groups;
          too_much[t] = 8 * sum_of(n, [&](auto d, std::size_t i) HWY_ATTR {
                          const auto scale = hn::Mul(load(d, of_weights + i), load(d, x.scales + at + i));
                          store(scale, d, scales.data() + t * n + i);
                          return hn::Mul(scale, load(d, x.sums + at + i));
                        });
        }
        int4_row<count>(static_cast<const std::uint8_t*>(weight.values) + row * padded / 2, scales.data(),
                        x.numbers + 2 * token * padded, static_cast<std::size_t>(padded), out);
        for (std::int64_t t = 0; t < count; ++t) y[(token + t) * y_stride + row] = out[t] - too_much[t];
      });
    }
  }

  static void run(const WeightRows& weight, const QuantizedTokens& x, std::int64_t first, std::int64_t last, float* y,
                  std::int64_t y_stride) {
    if (weight.format == WeightFormat::kInt8)
      int8(weight, x, first, last, y, y_stride);
    else
      int4(weight, x, first, last, y, y_stride);
  }
};

template <class F>
void with_numbers(const F& f) {
#if BENCH_HAVE_BYTES
  static const bool vnni = __builtin_cpu_supports("avx512vnni");
  if (vnni) return f(Bytes());
#endif
  f(Words());
}

void GemvQuantized(const WeightRows& weight, const QuantizedTokens& x, std::int64_t first, std::int64_t last, float* y,
                   std::int64_t y_stride) {
  with_numbers([&](auto numbers) HWY_ATTR { Products<decltype(numbers)>::run(weight, x, first, last, y, y_stride); });
}

/// The largest magnitude of x [n], n may be 0.
float largest(const float* x, std::size_t n) {
  return n == 0 ? 0 : max_of(n, [&](auto d, std::size_t i) HWY_ATTR { return hn::Abs(load(d, x + i)); });
}

void PrepareToken(WeightFormat format, const float* x, std::int64_t columns, std::int8_t* numbers, float* scales,
                  float* sums) {
  // 32639: the upper byte is 127 at most when the lower one has a sign.
  const bool small = format == WeightFormat::kInt4;
  const float most = small ? 127 : 32639;
  const auto n = static_cast<std::size_t>(columns), padded = static_cast<std::size_t>(padded_columns(columns));
  const float of_all = small ? 0 : largest(x, n);
  std::memset(numbers, 0, 2 * padded);
  with_numbers([&](auto kind) HWY_ATTR {
    for (std::size_t group = 0; group < padded; group += kGroup) {
      const std::size_t count = HWY_MIN(n - HWY_MIN(n, group), kGroup);
      const float magnitude = small ? largest(x + group, count) : of_all;
      const float inverse = magnitude > 0 ? most / magnitude : 0;
      scales[group / kGroup] = magnitude / most;
      sums[group / kGroup] = sum_of(count, [&](auto d, std::size_t i) HWY_ATTR {
        const hn::RebindToSigned<decltype(d)> d32;
        const auto q = hn::NearestInt(hn::Mul(load(d, x + group + i), hn::Set(d, inverse)));
        if (small)
          decltype(kind)::put_small(d32, q, group + i, numbers);
        else
          decltype(kind)::put(d32, q, group + i, padded, numbers);
        return hn::ConvertTo(d, q);
      });
    }
  });
}

}  // namespace bench::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench::model {
HWY_EXPORT(GemvQuantized);
HWY_EXPORT(PrepareToken);

void gemv_quantized(const WeightRows& weight, const QuantizedTokens& x, std::int64_t first, std::int64_t last, float* y,
                    std::int64_t y_stride) {
  HWY_DYNAMIC_DISPATCH(GemvQuantized)(weight, x, first, last, y, y_stride);
}

void prepare_token(WeightFormat format, const float* x, std::int64_t columns, std::int8_t* numbers, float* scales,
                   float* sums) {
  HWY_DYNAMIC_DISPATCH(PrepareToken)(format, x, columns, numbers, scales, sums);
}
}  // namespace bench::model
#endif
