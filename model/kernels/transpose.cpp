#include "model/kernels/transpose.h"

#include "model/kernels/fixed_size_targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "model/kernels/transpose.cpp"
#include <hwy/foreach_target.h>
// Highway's order: foreach_target.h first.
#include "model/kernels/vector-inl.h"

#include <algorithm>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace bench::model::HWY_NAMESPACE {

constexpr std::int64_t kBlock = 8;  // 16-bit elements in 128 bits
// A tile is 32 KB. It takes much of each row at a time, for every row lies on another page of memory.
constexpr std::int64_t kTileRows = 64, kTileColumns = 256;

#if HWY_TARGET != HWY_SCALAR
/// Interleaves the first half of eight rows with the second: [a b c d e f g h] -> [a e, b f, c g, d h], twice as wide.
/// Three times is a transpose.
template <class D>
HWY_INLINE void interleave_halves(D d, hn::Vec<D>* rows) {
  hn::Vec<D> mixed[kBlock];
  BENCH_UNROLL
  for (std::int64_t i = 0; i < kBlock / 2; ++i) {
    mixed[2 * i] = hn::InterleaveLower(d, rows[i], rows[i + kBlock / 2]);
    mixed[2 * i + 1] = hn::InterleaveUpper(d, rows[i], rows[i + kBlock / 2]);
  }
  BENCH_UNROLL
  for (std::int64_t i = 0; i < kBlock; ++i) rows[i] = mixed[i];
}

/// Eight rows of eight; a row of `from` and of `to` begins so many elements behind the one before.
HWY_INLINE void transpose_block(const std::uint16_t* from, std::int64_t from_stride, std::uint16_t* to,
                                std::int64_t to_stride) {
  const hn::FixedTag<std::uint16_t, kBlock> d;
  hn::Vec<decltype(d)> rows[kBlock];
  BENCH_UNROLL
  for (std::int64_t i = 0; i < kBlock; ++i) rows[i] = hn::LoadU(d, from + i * from_stride);
  interleave_halves(d, rows);
  interleave_halves(d, rows);
  interleave_halves(d, rows);
  BENCH_UNROLL
  for (std::int64_t i = 0; i < kBlock; ++i) hn::StoreU(rows[i], d, to + i * to_stride);
}
#else
HWY_INLINE void transpose_block(const std::uint16_t* from, std::int64_t from_stride, std::uint16_t* to,
                                std::int64_t to_stride) {
  for (std::int64_t i = 0; i < kBlock; ++i)
    for (std::int64_t j = 0; j < kBlock; ++j) to[j * to_stride + i] = from[i * from_stride + j];
}
#endif

/// high <= kTileRows rows of wide <= kTileColumns elements into the columns of `tile`, whose rows have kTileRows.
HWY_INLINE void fill_tile(const std::uint16_t* from, std::int64_t stride, std::int64_t high, std::int64_t wide,
                          std::uint16_t* tile) {
  const std::int64_t high_blocks = high - high % kBlock, wide_blocks = wide - wide % kBlock;
  for (std::int64_t i = 0; i < high_blocks; i += kBlock)
    for (std::int64_t j = 0; j < wide_blocks; j += kBlock)
      transpose_block(from + i * stride + j, stride, tile + j * kTileRows + i, kTileRows);
  for (std::int64_t i = 0; i < high; ++i)
    for (std::int64_t j = i < high_blocks ? wide_blocks : 0; j < wide; ++j)
      tile[j * kTileRows + i] = from[i * stride + j];
}

void TransposeColumns(const std::uint16_t* from, std::int64_t rows, std::int64_t columns, std::int64_t first,
                      std::int64_t last, std::uint16_t* to) {
  // By way of a tile, whole cache lines of `to` are written: written block by block, rows whose distance is a power of
  // two drive each other's lines out of the cache half done.
  alignas(64) std::uint16_t tile[kTileRows * kTileColumns];
  for (std::int64_t c = first; c < last; c += kTileColumns)
    for (std::int64_t r = 0; r < rows; r += kTileRows) {
      const std::int64_t high = std::min(kTileRows, rows - r), wide = std::min(kTileColumns, last - c);
      fill_tile(from + r * columns + c, columns, high, wide, tile);
      for (std::int64_t j = 0; j < wide; ++j)
        std::memcpy(to + (c + j) * rows + r, tile + j * kTileRows, static_cast<std::size_t>(high) * sizeof(*to));
    }
}

}  // namespace bench::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench::model {
HWY_EXPORT(TransposeColumns);

void transpose_columns(const std::uint16_t* from, std::int64_t rows, std::int64_t columns, std::int64_t first,
                       std::int64_t last, std::uint16_t* to) {
  HWY_DYNAMIC_DISPATCH(TransposeColumns)(from, rows, columns, first, last, to);
}
}  // namespace bench::model
#endif
