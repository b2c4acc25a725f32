#include "model/kernels/row_products.h"

#include <cmath>
#include <cstring>

// Arrays of vectors need vectors whose size the compiler knows.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/row_products.cpp"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target.h first.
#include "model/kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bench::model::HWY_NAMESPACE {

// Each block multiplies kRows rows of weights with kTokens tokens: enough sums at once to hide the latency of adding,
// few enough to stay in registers. Compilers unroll loops this small only when told.
#define BENCH_UNROLL _Pragma("GCC unroll 8")

template <class V, int kRows, int kTokens>
struct Sums {
  V v[kRows * kTokens];
  HWY_INLINE explicit Sums(V zero) {
    BENCH_UNROLL
    for (int i = 0; i < kRows * kTokens; ++i) v[i] = zero;
  }
  HWY_INLINE V& at(int row, int token) { return v[row * kTokens + token]; }
};

/// What the products are before the scales: out[row * kTokens + token].
template <int kRows, int kTokens, class T>
HWY_INLINE void dense_block(const T* w, const float* x, std::size_t columns, float* out) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  Sums<V, kRows, kTokens> sums(hn::Zero(d));
  std::size_t i = 0;
  for (; i + hn::Lanes(d) <= columns; i += hn::Lanes(d)) {
    V weight[kRows];
    BENCH_UNROLL
    for (int r = 0; r < kRows; ++r) weight[r] = load(d, w + static_cast<std::size_t>(r) * columns + i);
    BENCH_UNROLL
    for (int t = 0; t < kTokens; ++t) {
      const V v = load(d, x + static_cast<std::size_t>(t) * columns + i);
      BENCH_UNROLL
      for (int r = 0; r < kRows; ++r) sums.at(r, t) = hn::MulAdd(weight[r], v, sums.at(r, t));
    }
  }
  const hn::CappedTag<float, 1> one;
  for (int r = 0; r < kRows; ++r)
    for (int t = 0; t < kTokens; ++t) {
      float sum = hn::GetLane(hn::SumOfLanes(d, sums.at(r, t)));
      for (std::size_t j = i; j < columns; ++j)
        sum += hn::GetLane(load(one, w + static_cast<std::size_t>(r) * columns + j)) *
               x[static_cast<std::size_t>(t) * columns + j];
      out[r * kTokens + t] = sum;
    }
}

template <int kRows, int kTokens>
HWY_INLINE void int8_block(const std::int8_t* w, const std::int16_t* x, std::size_t padded, float* out) {
  const hn::ScalableTag<std::int16_t> d16;
  const hn::Rebind<std::int8_t, decltype(d16)> d8;
  const hn::RepartitionToWide<decltype(d16)> d32;
  const hn::RebindToFloat<decltype(d32)> d;
  Sums<hn::Vec<decltype(d)>, kRows, kTokens> sums(hn::Zero(d));
  for (std::size_t group = 0; group < padded; group += kGroupColumns) {
    Sums<hn::Vec<decltype(d32)>, kRows, kTokens> low(hn::Zero(d32)), high(hn::Zero(d32));
    BENCH_UNROLL
    for (std::size_t i = group; i < group + kGroupColumns; i += hn::Lanes(d16)) {
      hn::Vec<decltype(d16)> weight[kRows];
      BENCH_UNROLL
      for (int r = 0; r < kRows; ++r)
        weight[r] = hn::PromoteTo(d16, hn::LoadU(d8, w + static_cast<std::size_t>(r) * padded + i));
      BENCH_UNROLL
      for (int t = 0; t < kTokens; ++t) {
        const auto v = hn::LoadU(d16, x + static_cast<std::size_t>(t) * padded + i);
        BENCH_UNROLL
        for (int r = 0; r < kRows; ++r)
          low.at(r, t) = hn::ReorderWidenMulAccumulate(d32, weight[r], v, low.at(r, t), high.at(r, t));
      }
    }
    BENCH_UNROLL
    for (int i = 0; i < kRows * kTokens; ++i)
      sums.v[i] = hn::Add(sums.v[i], hn::ConvertTo(d, hn::Add(low.v[i], high.v[i])));
  }
  for (int i = 0; i < kRows * kTokens; ++i) out[i] = hn::GetLane(hn::SumOfLanes(d, sums.v[i]));
}

/// Here the weights' scales are in the sums already.
template <int kRows, int kTokens>
HWY_INLINE void int4_block(const std::uint8_t* w, const Bf16* scales, const std::int16_t* x, std::size_t padded,
                           float* out) {
  const hn::ScalableTag<std::int16_t> d16;
  const hn::RepartitionToWide<decltype(d16)> d32;
  const hn::RebindToFloat<decltype(d32)> d;
  const hn::CappedTag<float, 1> one;
  constexpr std::size_t kWords = kBlockColumns / 4;
  const std::size_t groups = padded / kGroupColumns;
  Sums<hn::Vec<decltype(d)>, kRows, kTokens> sums(hn::Zero(d));
  for (std::size_t block = 0; block < padded; block += kBlockColumns) {
    Sums<hn::Vec<decltype(d32)>, kRows, kTokens> low0(hn::Zero(d32)), high0(hn::Zero(d32)), low1(hn::Zero(d32)),
        high1(hn::Zero(d32));
    BENCH_UNROLL
    for (std::size_t j = 0; j < kWords; j += hn::Lanes(d16)) {
      BENCH_UNROLL
      for (int r = 0; r < kRows; ++r) {
        const std::uint8_t* bytes = w + (static_cast<std::size_t>(r) * padded + block) / 2 + 2 * j;
        const auto word = hn::LoadU(d16, reinterpret_cast<const std::int16_t*>(bytes));
        const auto q0 = hn::ShiftRight<12>(hn::ShiftLeft<12>(word)), q1 = hn::ShiftRight<12>(hn::ShiftLeft<8>(word));
        const auto q2 = hn::ShiftRight<12>(hn::ShiftLeft<4>(word)), q3 = hn::ShiftRight<12>(word);
        BENCH_UNROLL
        for (int t = 0; t < kTokens; ++t) {
          const std::int16_t* v = x + static_cast<std::size_t>(t) * padded + block + j;
          auto &l0 = low0.at(r, t), &h0 = high0.at(r, t), &l1 = low1.at(r, t), &h1 = high1.at(r, t);
          l0 = hn::ReorderWidenMulAccumulate(d32, q0, hn::LoadU(d16, v), l0, h0);
          l0 = hn::ReorderWidenMulAccumulate(d32, q1, hn::LoadU(d16, v + kWords), l0, h0);
          l1 = hn::ReorderWidenMulAccumulate(d32, q2, hn::LoadU(d16, v + 2 * kWords), l1, h1);
          l1 = hn::ReorderWidenMulAccumulate(d32, q3, hn::LoadU(d16, v + 3 * kWords), l1, h1);
        }
      }
    }
    BENCH_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const Bf16* scale = scales + static_cast<std::size_t>(r) * groups + block / kGroupColumns;
      const auto scale0 = hn::Set(d, hn::GetLane(load(one, scale))), scale1 = hn::Set(d, hn::GetLane(load(one, scale + 1)));
      BENCH_UNROLL
      for (int t = 0; t < kTokens; ++t) {
        const auto products0 = hn::ConvertTo(d, hn::Add(low0.at(r, t), high0.at(r, t)));
        const auto products1 = hn::ConvertTo(d, hn::Add(low1.at(r, t), high1.at(r, t)));
        sums.at(r, t) = hn::MulAdd(products1, scale1, hn::MulAdd(products0, scale0, sums.at(r, t)));
      }
    }
  }
  for (int i = 0; i < kRows * kTokens; ++i) out[i] = hn::GetLane(hn::SumOfLanes(d, sums.v[i]));
}

template <int kRows, int kTokens>
HWY_INLINE void block_of(const WeightRows& weight, const TokenRows& x, std::int64_t row, std::int64_t token,
                         float* out) {
  const std::int64_t columns = weight.columns, padded = padded_columns(columns);
  const auto n = static_cast<std::size_t>(columns), wide = static_cast<std::size_t>(padded);
  switch (weight.format) {
    case WeightFormat::kFp32:
      return dense_block<kRows, kTokens>(static_cast<const float*>(weight.values) + row * columns,
                                         x.fp32 + token * columns, n, out);
    case WeightFormat::kBf16:
      return dense_block<kRows, kTokens>(static_cast<const Bf16*>(weight.values) + row * columns,
                                         x.fp32 + token * columns, n, out);
    case WeightFormat::kInt8: {
      int8_block<kRows, kTokens>(static_cast<const std::int8_t*>(weight.values) + row * padded,
                                 x.int16 + token * padded, wide, out);
      for (int r = 0; r < kRows; ++r)
        for (int t = 0; t < kTokens; ++t)
          out[r * kTokens + t] *= static_cast<const float*>(weight.scales)[row + r] * x.scales[token + t];
      return;
    }
    case WeightFormat::kInt4: {
      int4_block<kRows, kTokens>(static_cast<const std::uint8_t*>(weight.values) + row * padded / 2,
                                 static_cast<const Bf16*>(weight.scales) + row * padded / kGroupColumns,
                                 x.int16 + token * padded, wide, out);
      for (int r = 0; r < kRows; ++r)
        for (int t = 0; t < kTokens; ++t) out[r * kTokens + t] *= x.scales[token + t];
    }
  }
}

template <int kRows, int kTokens>
HWY_INLINE void put_block(const WeightRows& weight, const TokenRows& x, std::int64_t row, std::int64_t token, float* y,
                          std::int64_t y_stride) {
  float out[kRows * kTokens] = {};
  block_of<kRows, kTokens>(weight, x, row, token, out);
  for (int r = 0; r < kRows; ++r)
    for (int t = 0; t < kTokens; ++t) y[(token + t) * y_stride + row + r] = out[r * kTokens + t];
}

/// All tokens of kRows rows, whose weights come from memory with the first tokens and from the cache for the others.
template <int kRows>
void rows_of(const WeightRows& weight, const TokenRows& x, std::int64_t row, float* y, std::int64_t y_stride) {
  std::int64_t t = 0;
  for (; t + 4 <= x.tokens; t += 4) put_block<kRows, 4>(weight, x, row, t, y, y_stride);
  for (; t + 2 <= x.tokens; t += 2) put_block<kRows, 2>(weight, x, row, t, y, y_stride);
  for (; t < x.tokens; ++t) put_block<kRows, 1>(weight, x, row, t, y, y_stride);
}

void RowProducts(const WeightRows& weight, const TokenRows& x, std::int64_t first, std::int64_t last, float* y,
                 std::int64_t y_stride) {
  std::int64_t row = first;
  if (x.tokens == 1)
    for (; row + 4 <= last; row += 4) put_block<4, 1>(weight, x, row, 0, y, y_stride);
  for (; row + 2 <= last; row += 2) rows_of<2>(weight, x, row, y, y_stride);
  for (; row < last; ++row) rows_of<1>(weight, x, row, y, y_stride);
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
