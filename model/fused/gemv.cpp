#include "model/fused/gemv.h"

#include "model/fused/rows.h"
#include "model/fused/work_stealing.h"
#include "model/kernels/convert.h"
#include "model/kernels/gemv_float.h"

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
  if (format == WeightFormat::kBf16) {
    rounded_.reset(new Bf16[static_cast<std::size_t>(tokens * columns)]);  // not a vector, which fills itself first
    narrow(Element::kBf16, x, rounded_.get(), tokens * columns);
  }
  if (!is_whole(format)) return;
  const auto padded = static_cast<std::size_t>(padded_columns(columns)), count = static_cast<std::size_t>(tokens),
             groups = padded / static_cast<std::size_t>(kGroupColumns);
  numbers_.resize(count * 2 * padded);
  scales_.resize(count * groups);
  sums_.resize(count * groups);
  for (std::size_t t = 0; t < count; ++t)
    prepare_token(format, x + static_cast<std::int64_t>(t) * columns, columns, numbers_.data() + t * 2 * padded,
                  scales_.data() + t * groups, sums_.data() + t * groups);
}

void gemv_all(const std::vector<GemvTask>& products, const PreparedTokens& x) {
  constexpr std::int64_t kPieceBytes = 1 << 16;  // some microseconds
  std::int64_t rows = 0;                         // of all, one after the other
  for (const auto& product : products) rows += product.rows;
  // A multiple of the rows that gemv_float takes at once, two or three.
  const std::int64_t rows_each = 6 * std::max<std::int64_t>(1, kPieceBytes / matrix_bytes(products[0].weight, 6));
  for_each_stealing((rows + rows_each - 1) / rows_each, [&](std::int64_t piece) {
    std::int64_t first = piece * rows_each, last = first + rows_each;
    for (const auto& product : products) {
      const std::int64_t from = std::max<std::int64_t>(first, 0), to = std::min(last, product.rows);
      if (from < to && is_whole(product.weight.format))
        gemv_quantized(product.weight, x.quantized(), from, to, product.y, product.y_stride);
      else if (from < to)
        gemv_float(product.weight, x.dense(), x.count(), from, to, product.y, product.y_stride);
      first -= product.rows;
      last -= product.rows;
    }
  });
}

torch::Tensor gemv(const torch::Tensor& x, const WeightRows& weight, std::int64_t rows) {
  const torch::Tensor wide = x.to(torch::kFloat32).contiguous();
  const torch::Tensor y = torch::empty(shape_with_columns(x, rows), torch::kFloat32);
  const PreparedTokens prepared(wide.const_data_ptr<float>(), x.numel() / weight.columns, weight.columns,
                                weight.format);
  gemv_all({{weight, rows, y.mutable_data_ptr<float>(), rows}}, prepared);
  return y.to(x.scalar_type());
}

}  // namespace bench::model
