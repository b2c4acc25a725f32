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

void all_row_products(const std::vector<RowProduct>& products, const TokenRows& x) {
  std::int64_t rows = 0;  // of all, one after the other; they have the same columns
  for (const auto& product : products) rows += product.rows;
  in_parallel(rows, products[0].weight.columns, [&](std::int64_t first, std::int64_t last) {
    for (const auto& product : products) {
      const std::int64_t from = std::max<std::int64_t>(first, 0), to = std::min(last, product.rows);
      if (from < to) row_products(product.weight, x, from, to, product.y, product.y_stride);
      first -= product.rows;
      last -= product.rows;
    }
  });
}

}  // namespace bench::model
