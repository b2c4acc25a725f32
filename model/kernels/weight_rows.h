#pragma once

#include <cstdint>

namespace bench::model {

/// How the weights of a product with few tokens are stored.
enum class WeightFormat { kFp32, kBf16, kInt8, kInt4 };

/// Columns that are multiplied and added in integers before they become fp32; in 4 bits they also share a scale.
inline constexpr std::int64_t kGroupColumns = 64;
/// Rows of whole numbers are filled up with zeros to a multiple of this.
inline constexpr std::int64_t kBlockColumns = 2 * kGroupColumns;

inline constexpr std::int64_t padded_columns(std::int64_t columns) {
  return (columns + kBlockColumns - 1) / kBlockColumns * kBlockColumns;
}

/// Rows of a weight matrix [rows, columns] where they lie.
///   kFp32, kBf16: values [rows, columns], no scales.
///   kInt8: weight = scale of its row * q, q in -127 .. 127. values int8 [rows, padded], scales fp32 [rows].
///   kInt4: weight = scale of its row and group * q, q in -8 .. 7. scales bf16 [rows, padded / 64], values [rows,
///          padded / 2] bytes: each 64 bytes are 32 words of 16 bits, and word j holds the columns j, 32 + j, 64 + j
///          and 96 + j of its block, from the low end up. So shifts alone make vectors of neighbouring columns.
struct WeightRows {
  WeightFormat format;
  const void* values;
  const void* scales;
  std::int64_t columns;
};

/// Bytes of so many rows, scales included.
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
