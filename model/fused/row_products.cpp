#include "model/fused/row_products.h"

#include "model/fused/rows.h"

namespace bench::model {

WeightRows weight_rows(const torch::Tensor& weight) {
  const bool bf16 = weight.scalar_type() == torch::kBFloat16;
  return {bf16 ? WeightFormat::kBf16 : WeightFormat::kFp32, weight.const_data_ptr(), nullptr, weight.size(1)};
}

WeightRows weight_rows(const QuantizedWeight& weight) {
  const auto format = weight.quantization == Quantization::kInt8 ? WeightFormat::kInt8 : WeightFormat::kInt4;
  return {format, weight.values.const_data_ptr(), weight.scales.const_data_ptr(), weight.columns};
}

PreparedTokens::PreparedTokens(const float* x, std::int64_t tokens, std::int64_t columns, WeightFormat format)
    : tokens_(tokens), x_(x) {
  if (format == WeightFormat::kFp32 || format == WeightFormat::kBf16) return;
  const std::int64_t padded = padded_columns(columns);
  int16_.resize(static_cast<std::size_t>(tokens * padded));
  scales_.resize(static_cast<std::size_t>(tokens));
  for (std::int64_t t = 0; t < tokens; ++t)
    scales_[static_cast<std::size_t>(t)] = to_int16(x + t * columns, columns, int16_.data() + t * padded, padded);
}

void all_row_products(const WeightRows& weight, std::int64_t rows, const TokenRows& x, float* y,
                      std::int64_t y_stride) {
  in_parallel(rows, weight.columns, [&](std::int64_t first, std::int64_t last) {
    row_products(weight, x, first, last, y, y_stride);
  });
}

}  // namespace bench::model
