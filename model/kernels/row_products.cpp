#include "model/kernels/row_products.h"

#include <cmath>
#include <cstring>
#include <vector>

// Arrays of vectors need vectors whose size the compiler knows.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/row_products.cpp"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target.h first.
#include "model/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::model::HWY_NAMESPACE {

// Memory is read in one stream, which the processor fetches ahead by itself: with four rows at once it did at a third
// of the speed. So one token takes one row at a time. Several tokens are bound by arithmetic and take two, to load each
// of theirs half as often; the rows after them are asked for meanwhile.

template <class V, int kCount>
struct Sums {
  V v[kCount];
  HWY_INLINE explicit Sums(V zero) {
    BENCH_UNROLL
    for (int i = 0; i < kCount; ++i) v[i] = zero;
  }
};

/// y[t * y_stride + r] = sum over columns of w[r] * x[t], for w [kRows, columns] and x [kTokens, columns]. Two sums for
/// each, of every other vector of columns, hide the latency of adding; the order of additions is the same for any kRows
/// and kTokens.
template <int kRows, int kTokens, class T>
HWY_INLINE void dense_rows(const T* w, const float* x, std::size_t columns, float* y, std::int64_t y_stride) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 1> one;
  using V = hn::Vec<decltype(d)>;
  const std::size_t lanes = hn::Lanes(d);
  Sums<V, kRows * kTokens> even(hn::Zero(d)), odd(hn::Zero(d));
  const auto add = [&](std::size_t i, Sums<V, kRows * kTokens>& sums) HWY_ATTR {
    // One line a step, of the rows after the next, into the second level of the cache: this asks for memory at 27 GB/s
    // where the first level had 24 and none 16 (two cores, four tokens).
    if constexpr (kRows > 1) __builtin_prefetch(w + kRows * (2 * columns + i), /*rw=*/0, /*locality=*/2);
    V weight[kRows];
    BENCH_UNROLL
    for (std::size_t r = 0; r < kRows; ++r) weight[r] = load(d, w + r * columns + i);
    BENCH_UNROLL
    for (std::size_t t = 0; t < kTokens; ++t) {
      const V v = load(d, x + t * columns + i);
      BENCH_UNROLL
      for (std::size_t r = 0; r < kRows; ++r) sums.v[t * kRows + r] = hn::MulAdd(weight[r], v, sums.v[t * kRows + r]);
    }
  };
  std::size_t i = 0;
  for (; i + 2 * lanes <= columns; i += 2 * lanes) {
    add(i, even);
    add(i + lanes, odd);
  }
  BENCH_UNROLL
  for (std::size_t t = 0; t < kTokens; ++t)
    for (std::size_t r = 0; r < kRows; ++r) {
      float sum = hn::GetLane(hn::SumOfLanes(d, hn::Add(even.v[t * kRows + r], odd.v[t * kRows + r])));
      for (std::size_t j = i; j < columns; ++j) sum += hn::GetLane(load(one, w + r * columns + j)) * x[t * columns + j];
      y[static_cast<std::int64_t>(t) * y_stride + static_cast<std::int64_t>(r)] = sum;
    }
}

template <class T>
void dense_products(const T* w, const TokenRows& x, std::int64_t columns, std::int64_t first, std::int64_t last,
                    float* y, std::int64_t y_stride) {
  const auto n = static_cast<std::size_t>(columns);
  std::int64_t row = first;
  if (x.tokens > 1)
    for (; row + 2 <= last; row += 2)
      for_fours(x.tokens, [&](auto count, std::int64_t t) HWY_ATTR {
        dense_rows<2, decltype(count)::value>(w + row * columns, x.fp32 + t * columns, n, y + t * y_stride + row,
                                              y_stride);
      });
  for (; row < last; ++row)
    for_fours(x.tokens, [&](auto count, std::int64_t t) HWY_ATTR {
      dense_rows<1, decltype(count)::value>(w + row * columns, x.fp32 + t * columns, n, y + t * y_stride + row,
                                            y_stride);
    });
}

/// out[t] = sum over columns of w * x[t], without the scales.
template <int kTokens>
HWY_INLINE void int8_row(const std::int8_t* w, const std::int16_t* x, std::size_t padded, float* out) {
  const hn::ScalableTag<std::int16_t> d16;
  const hn::Rebind<std::int8_t, decltype(d16)> d8;
  const hn::RepartitionToWide<decltype(d16)> d32;
  const hn::RebindToFloat<decltype(d32)> d;
  Sums<hn::Vec<decltype(d)>, kTokens> sums(hn::Zero(d));
  for (std::size_t group = 0; group < padded; group += kGroupColumns) {
    Sums<hn::Vec<decltype(d32)>, kTokens> low(hn::Zero(d32)), high(hn::Zero(d32));
    BENCH_UNROLL
    for (std::size_t i = group; i < group + kGroupColumns; i += hn::Lanes(d16)) {
      const auto weight = hn::PromoteTo(d16, hn::LoadU(d8, w + i));
      BENCH_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t)
        low.v[t] = hn::ReorderWidenMulAccumulate(d32, weight, hn::LoadU(d16, x + t * padded + i), low.v[t], high.v[t]);
    }
    BENCH_UNROLL
    for (int t = 0; t < kTokens; ++t) sums.v[t] = hn::Add(sums.v[t], hn::ConvertTo(d, hn::Add(low.v[t], high.v[t])));
  }
  BENCH_UNROLL
  for (int t = 0; t < kTokens; ++t) out[t] = hn::GetLane(hn::SumOfLanes(d, sums.v[t]));
}

/// Here the weights' scales are in the sums already.
template <int kTokens>
HWY_INLINE void int4_row(const std::uint8_t* w, const float* scales, const std::int16_t* x, std::size_t padded,
                         float* out) {
  const hn::ScalableTag<std::int16_t> d16;
  const hn::RepartitionToWide<decltype(d16)> d32;
  const hn::RebindToFloat<decltype(d32)> d;
  constexpr std::size_t kWords = kBlockColumns / 4;
  Sums<hn::Vec<decltype(d)>, kTokens> sums0(hn::Zero(d)), sums1(hn::Zero(d));
  for (std::size_t block = 0; block < padded; block += kBlockColumns) {
    Sums<hn::Vec<decltype(d32)>, kTokens> low0(hn::Zero(d32)), high0(hn::Zero(d32)), low1(hn::Zero(d32)),
        high1(hn::Zero(d32));
    BENCH_UNROLL
    for (std::size_t j = 0; j < kWords; j += hn::Lanes(d16)) {
      const auto word = hn::LoadU(d16, reinterpret_cast<const std::int16_t*>(w + block / 2) + j);
      const auto q0 = hn::ShiftRight<12>(hn::ShiftLeft<12>(word)), q1 = hn::ShiftRight<12>(hn::ShiftLeft<8>(word));
      const auto q2 = hn::ShiftRight<12>(hn::ShiftLeft<4>(word)), q3 = hn::ShiftRight<12>(word);
      BENCH_UNROLL
      for (std::size_t t = 0; t < kTokens; ++t) {
        const std::int16_t* v = x + t * padded + block + j;
        auto &l0 = low0.v[t], &h0 = high0.v[t], &l1 = low1.v[t], &h1 = high1.v[t];
        l0 = hn::ReorderWidenMulAccumulate(d32, q0, hn::LoadU(d16, v), l0, h0);
        l0 = hn::ReorderWidenMulAccumulate(d32, q1, hn::LoadU(d16, v + kWords), l0, h0);
        l1 = hn::ReorderWidenMulAccumulate(d32, q2, hn::LoadU(d16, v + 2 * kWords), l1, h1);
        l1 = hn::ReorderWidenMulAccumulate(d32, q3, hn::LoadU(d16, v + 3 * kWords), l1, h1);
      }
    }
    const auto scale0 = hn::Set(d, scales[block / kGroupColumns]);
    const auto scale1 = hn::Set(d, scales[block / kGroupColumns + 1]);
    BENCH_UNROLL
    for (int t = 0; t < kTokens; ++t) {
      sums0.v[t] = hn::MulAdd(hn::ConvertTo(d, hn::Add(low0.v[t], high0.v[t])), scale0, sums0.v[t]);
      sums1.v[t] = hn::MulAdd(hn::ConvertTo(d, hn::Add(low1.v[t], high1.v[t])), scale1, sums1.v[t]);
    }
  }
  BENCH_UNROLL
  for (int t = 0; t < kTokens; ++t) out[t] = hn::GetLane(hn::SumOfLanes(d, hn::Add(sums0.v[t], sums1.v[t])));
}

void int8_products(const WeightRows& weight, const TokenRows& x, std::int64_t first, std::int64_t last, float* y,
                   std::int64_t y_stride) {
  const std::int64_t padded = padded_columns(weight.columns);
  for (std::int64_t row = first; row < last; ++row)
    for_fours(x.tokens, [&](auto count, std::int64_t token) HWY_ATTR {
      float out[decltype(count)::value] = {};
      int8_row<decltype(count)::value>(static_cast<const std::int8_t*>(weight.values) + row * padded,
                                       x.int16 + token * padded, static_cast<std::size_t>(padded), out);
      const float scale = static_cast<const float*>(weight.scales)[row];
      for (int t = 0; t < count; ++t) y[(token + t) * y_stride + row] = out[t] * scale * x.scales[token + t];
    });
}

void int4_products(const WeightRows& weight, const TokenRows& x, std::int64_t first, std::int64_t last, float* y,
                   std::int64_t y_stride) {
  const std::int64_t padded = padded_columns(weight.columns), groups = padded / kGroupColumns;
  std::vector<float> scales(static_cast<std::size_t>(groups));
  for (std::int64_t row = first; row < last; ++row) {
    const auto* stored = static_cast<const Bf16*>(weight.scales) + row * groups;
    for_each_vector(scales.size(),
                    [&](auto d, std::size_t i) HWY_ATTR { store(load(d, stored + i), d, scales.data() + i); });
    for_fours(x.tokens, [&](auto count, std::int64_t token) HWY_ATTR {
      float out[decltype(count)::value] = {};
      int4_row<decltype(count)::value>(static_cast<const std::uint8_t*>(weight.values) + row * padded / 2,
                                       scales.data(), x.int16 + token * padded, static_cast<std::size_t>(padded), out);
      for (int t = 0; t < count; ++t) y[(token + t) * y_stride + row] = out[t] * x.scales[token + t];
    });
  }
}

void RowProducts(const WeightRows& weight, const TokenRows& x, std::int64_t first, std::int64_t last, float* y,
                 std::int64_t y_stride) {
  switch (weight.format) {
    case WeightFormat::kFp32:
      return dense_products(static_cast<const float*>(weight.values), x, weight.columns, first, last, y, y_stride);
    case WeightFormat::kBf16:
      return dense_products(static_cast<const Bf16*>(weight.values), x, weight.columns, first, last, y, y_stride);
    case WeightFormat::kInt8:
      return int8_products(weight, x, first, last, y, y_stride);
    case WeightFormat::kInt4:
      return int4_products(weight, x, first, last, y, y_stride);
  }
}

float ToInt16(const float* x, std::int64_t n, std::int16_t* q, std::int64_t padded) {
  const auto count = static_cast<std::size_t>(n);
  const float most = max_of(count, [&](auto d, std::size_t i) HWY_ATTR { return hn::Abs(load(d, x + i)); });
  const float scale = most / 32767;
  const float inverse = most > 0 ? 32767 / most : 0;
  for_each_vector(count, [&](auto d, std::size_t i) HWY_ATTR {
    const hn::Rebind<std::int16_t, decltype(d)> d16;
    hn::StoreU(hn::DemoteTo(d16, hn::NearestInt(hn::Mul(load(d, x + i), hn::Set(d, inverse)))), d16, q + i);
  });
  std::memset(q + n, 0, static_cast<std::size_t>(padded - n) * sizeof(std::int16_t));
  return scale;
}

}  // namespace bench::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench::model {
HWY_EXPORT(RowProducts);
HWY_EXPORT(ToInt16);

void row_products(const WeightRows& weight, const TokenRows& x, std::int64_t first, std::int64_t last, float* y,
                  std::int64_t y_stride) {
  HWY_DYNAMIC_DISPATCH(RowProducts)(weight, x, first, last, y, y_stride);
}

float to_int16(const float* x, std::int64_t n, std::int16_t* q, std::int64_t padded) {
  return HWY_DYNAMIC_DISPATCH(ToInt16)(x, n, q, padded);
}
}  // namespace bench::model
#endif
