#include "model/kernels/gemv_float.h"

#include "model/kernels/fixed_size_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/gemv_float.cpp"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target.h first.
#include "model/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::model::HWY_NAMESPACE {

// Memory is read in one stream, which the processor fetches ahead. (With AVX2 this takes prefetching by ask_ahead.)
// With four rows at once, it was read at a third of the speed, so one token takes one row at a time. Several tokens are
// bound by arithmetic. They take more rows at once, so that each token's numbers are loaded less often: two rows, or
// three where AVX-512 has the registers (47 GB/s instead of 43 with four tokens). The rows after them are prefetched
// meanwhile.
constexpr int kRowsAtOnce = kManyRegisters ? 3 : 2;

/// The 2 * Lanes(d) numbers from `from` on, in two vectors; weights and tokens in the same order. bf16 ones are split
/// by a shift and a mask, from one load of a whole line: with two loads and conversions the processor fetches ahead
/// half as fast. AVX-512's product of bf16 pairs (vdpbf16ps) needs no split, and reads rows of 8 KB at 47 GB/s where
/// this reads 58, with four tokens at 35 instead of 47; only rows of 2 KB and four tokens like it (50 instead of 43).
template <class D>
HWY_INLINE void load_pairs(D d, const float* from, hn::Vec<D>& first, hn::Vec<D>& second) {
  first = hn::LoadU(d, from);
  second = hn::LoadU(d, from + hn::Lanes(d));
}
template <class D>
HWY_INLINE void load_pairs(D d, const Bf16* from, hn::Vec<D>& first, hn::Vec<D>& second) {
  const hn::RebindToUnsigned<D> bits;
  const auto pairs = hn::LoadU(bits, reinterpret_cast<const std::uint32_t*>(from));
  first = hn::BitCast(d, hn::ShiftLeft<16>(pairs));
  second = hn::BitCast(d, hn::And(pairs, hn::Set(bits, 0xFFFF0000u)));
}

/// y[t * y_stride + r] = sum over columns of w[r] * x[t], for w [kRows, columns] and x [kTokens, columns]. Each of
/// these has two partial sums, of every other vector of columns, which hide the latency of adding. The order of
/// additions is the same for any kRows and kTokens.
template <int kRows, int kTokens, class T>
HWY_INLINE void dense_rows(const T* w, const T* x, std::size_t columns, float* y, std::int64_t y_stride) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  using V = hn::Vec<decltype(d)>;
  const std::size_t pair = 2 * hn::Lanes(d);
  Sums<V, kRows * kTokens> even(hn::Zero(d)), odd(hn::Zero(d));
  std::size_t i = 0;
  for (; i + pair <= columns; i += pair) {
    // Prefetches the rows after the next ones into the second level of the cache. Other distances and the first level
    // are slower; memory that isn't prefetched comes at half the speed (two cores, four tokens).
    if constexpr (kRows > 1) ask_for(w + kRows * (2 * columns + i), kRows * pair);
    if constexpr (kRows == 1 && kTokens == 1) ask_ahead(w + i);
    V first[kRows], second[kRows], x_first, x_second;
    BENCH_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) load_pairs(d, w + r * columns + i, first[r], second[r]);
    BENCH_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) {
      load_pairs(d, x + t * columns + i, x_first, x_second);
      BENCH_UNROLL
      for (std::size_t r = 0; r < kRows; ++r) {
        even.v[t * kRows + r] = hn::MulAdd(first[r], x_first, even.v[t * kRows + r]);
        odd.v[t * kRows + r] = hn::MulAdd(second[r], x_second, odd.v[t * kRows + r]);
      }
    }
  }
  BENCH_UNROLL
  for (std::size_t r = 0; r < kRows; ++r) {
    V both[4];
    BENCH_UNROLL
    for (std::size_t t = 0; t < 4; ++t)
      both[t] = t < kTokens ? hn::Add(even.v[t * kRows + r], odd.v[t * kRows + r]) : hn::Zero(d);
    float sums[4];
    store_four_sums(d, both, sums);
    for (std::size_t t = 0; t < kTokens; ++t) {
      for (std::size_t j = i; j < columns; ++j)
        sums[t] += hn::GetLane(hn::Mul(load(one, w + r * columns + j), load(one, x + t * columns + j)));
      y[static_cast<std::int64_t>(t) * y_stride + static_cast<std::int64_t>(r)] = sums[t];
    }
  }
}

template <class T>
void products(const T* w, const T* x, std::int64_t tokens, std::int64_t columns, std::int64_t first, std::int64_t last,
              float* y, std::int64_t y_stride) {
  const auto n = static_cast<std::size_t>(columns);
  std::int64_t row = first;
  const auto at_once = [&](auto rows) HWY_ATTR {
    for (; row + rows <= last; row += rows)
      for_fours(tokens, [&](auto count, std::int64_t t) HWY_ATTR {
        dense_rows<rows, count>(w + row * columns, x + t * columns, n, y + t * y_stride + row, y_stride);
      });
  };
  if (tokens > 1) at_once(std::integral_constant<int, kRowsAtOnce>());
  at_once(std::integral_constant<int, 1>());
}

void GemvFloat(const WeightRows& weight, const void* x, std::int64_t tokens, std::int64_t first, std::int64_t last,
               float* y, std::int64_t y_stride) {
  const auto with = [&](auto* type) HWY_ATTR {
    using T = std::remove_pointer_t<decltype(type)>;
    products(static_cast<const T*>(weight.values), static_cast<const T*>(x), tokens, weight.columns, first, last, y,
             y_stride);
  };
  with_element(weight.format == WeightFormat::kBf16 ? Element::kBf16 : Element::kFp32, with);
}

}  // namespace bench::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench::model {
HWY_EXPORT(GemvFloat);

void gemv_float(const WeightRows& weight, const void* x, std::int64_t tokens, std::int64_t first, std::int64_t last,
                float* y, std::int64_t y_stride) {
  HWY_DYNAMIC_DISPATCH(GemvFloat)(weight, x, tokens, first, last, y, y_stride);
}
}  // namespace bench::model
#endif
