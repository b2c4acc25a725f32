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
/// How many rows and columns of a matrix are turned around at a time.
struct TileSize {
  std::int64_t rows, columns;
};
// 32 KB each. The first takes much of each row, since every row lies on another page of memory.
constexpr TileSize kTransposeTile{64, 256};
constexpr TileSize kAddTile{128, 128};

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

/// Transposes eight rows of eight elements. In `from` and in `to`, a row begins from_stride or to_stride elements
/// behind the row before.
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

/// high <= kSize.rows rows of wide <= kSize.columns elements into the columns of `tile`, whose rows have kSize.rows.
template <TileSize kSize>
HWY_INLINE void fill_tile(const std::uint16_t* from, std::int64_t stride, std::int64_t high, std::int64_t wide,
                          std::uint16_t* tile) {
  const std::int64_t high_blocks = high - high % kBlock, wide_blocks = wide - wide % kBlock;
  for (std::int64_t i = 0; i < high_blocks; i += kBlock)
    for (std::int64_t j = 0; j < wide_blocks; j += kBlock)
      transpose_block(from + i * stride + j, stride, tile + j * kSize.rows + i, kSize.rows);
  for (std::int64_t i = 0; i < high; ++i)
    for (std::int64_t j = i < high_blocks ? wide_blocks : 0; j < wide; ++j)
      tile[j * kSize.rows + i] = from[i * stride + j];
}

/// Calls f(column, row, elements, n) with n elements of a column, from `row` on, for all of columns first .. last - 1.
/// The elements come by way of a tile, so that f gets whole cache lines. If the result were written block by block,
/// rows whose distance is a power of two would drive each other's half-written lines out of the cache.
template <TileSize kSize, class F>
void for_each_run(const std::uint16_t* from, std::int64_t rows, std::int64_t columns, std::int64_t first,
                  std::int64_t last, const F& f) {
  alignas(64) std::uint16_t tile[kSize.rows * kSize.columns];
  for (std::int64_t c = first; c < last; c += kSize.columns)
    for (std::int64_t r = 0; r < rows; r += kSize.rows) {
      const std::int64_t high = std::min(kSize.rows, rows - r), wide = std::min(kSize.columns, last - c);
      fill_tile<kSize>(from + r * columns + c, columns, high, wide, tile);
      for (std::int64_t j = 0; j < wide; ++j) f(c + j, r, tile + j * kSize.rows, high);
    }
}

void TransposeColumns(const std::uint16_t* from, std::int64_t rows, std::int64_t columns, std::int64_t first,
                      std::int64_t last, std::uint16_t* to) {
  for_each_run<kTransposeTile>(
      from, rows, columns, first, last,
      [&](std::int64_t column, std::int64_t row, const std::uint16_t* elements, std::int64_t n) {
        std::memcpy(to + column * rows + row, elements, static_cast<std::size_t>(n) * sizeof(*to));
      });
}

void AddTransposedColumns(const Bf16* from, std::int64_t rows, std::int64_t columns, std::int64_t first,
                          std::int64_t last, float* sum) {
  for_each_run<kAddTile>(reinterpret_cast<const std::uint16_t*>(from), rows, columns, first, last,
                         [&](std::int64_t column, std::int64_t row, const std::uint16_t* elements, std::int64_t n)
                             HWY_ATTR { add(reinterpret_cast<const Bf16*>(elements), sum + column * rows + row, n); });
}

}  // namespace bench::model::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bench::model {
HWY_EXPORT(TransposeColumns);
HWY_EXPORT(AddTransposedColumns);

void transpose_columns(const std::uint16_t* from, std::int64_t rows, std::int64_t columns, std::int64_t first,
                       std::int64_t last, std::uint16_t* to) {
  HWY_DYNAMIC_DISPATCH(TransposeColumns)(from, rows, columns, first, last, to);
}

void add_transposed_columns(const Bf16* from, std::int64_t rows, std::int64_t columns, std::int64_t first,
                            std::int64_t last, float* sum) {
  HWY_DYNAMIC_DISPATCH(AddTransposedColumns)(from, rows, columns, first, last, sum);
}
}  // namespace bench::model
#endif
