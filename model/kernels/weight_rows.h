#pragma once

#include <cstdint>

namespace bench::model {

/// How the weights of a product with few tokens are stored.
enum class WeightFormat { kFp32, kBf16, kInt8, kInt4 };
inline constexpr bool is_whole(WeightFormat format) {
  return format == WeightFormat::kInt8 || format == WeightFormat::kInt4;
}

/// The number of columns that are multiplied and added in integers before their sum becomes fp32. In 4 bits they also
/// share a scale.
inline constexpr std::int64_t kGroupColumns = 64;
/// Rows of integers are filled up with zeros to a multiple of this.
inline constexpr std::int64_t kBlockColumns = 2 * kGroupColumns;

inline constexpr std::int64_t padded_columns(std::int64_t columns) {
  return (columns + kBlockColumns - 1) / kBlockColumns * kBlockColumns;
}

/// The rows of a weight matrix [rows, columns], in the memory where they lie.
///   kFp32, kBf16: values [rows, columns], no scales.
///   kInt8: weight = scale of its row * q, q in -127 .. 127. values int8 [rows, padded], scales fp32 [rows].
///   kInt4: weight = scale of its row and group * q, q in -8 .. 7. scales bf16 [rows, padded / 64], values [rows,
///          padded / 2] bytes. In each block of 64 bytes, byte j holds q + 8 of two columns of the block: column j in
///          its low half and column 64 + j in its high half.
struct WeightRows {
  WeightFormat format;
  const void* values;
  const void* scales;
  std::int64_t columns;
};

/// Bytes of `rows` rows, scales included.
inline std::int64_t matrix_bytes(const WeightRows& weight, std::int64_t rows) {
  const std::int64_t padded = padded_columns(weight.columns);
  switch (weight.format) {
    case WeightFormat::kFp32:
      return rows * weight.columns * 4;
    case WeightFormat::kBf16:
      return rows * weight.columns * 2;
    case WeightFormat::kInt8:
      return rows * (padded + 4);
    case WeightFormat::kInt4:
      return rows * (padded / 2 + padded / kGroupColumns * 2);
  }
  return 0;
}

}  // namespace bench::model
