#include "model/quantized_weight.h"

#include "model/error.h"
#include "model/fused/gemv.h"
#include "model/fused/products.h"
#include "model/fused/rows.h"
#include "model/kernels/convert.h"
#include "model/kernels/quantize.h"

#include <algorithm>
#include <cmath>

namespace bench::model {

QuantizedWeight quantize(const torch::Tensor& weight, Quantization quantization) {
  const torch::NoGradGuard no_grad;
  TORCH_CHECK(weight.dim() == 2 && quantization != Quantization::kNone, "quantize: needs a matrix");
  const bool native = on_native_path(weight);
  if (!native && quantization != Quantization::kInt8)
    throw InputError("quantize", "4 bits work on the CPU's native path only", "int8 works on this device, too");
  torch::Tensor w = weight.cpu().contiguous();
  if (!is_kernel_element(w)) w = w.to(torch::kFloat32);
  const std::int64_t rows = w.size(0), columns = w.size(1), padded = padded_columns(columns);
  const bool int8 = quantization == Quantization::kInt8;
  QuantizedWeight result{
      quantization, int8 ? torch::empty({rows, padded}, torch::kInt8) : torch::empty({rows, padded / 2}, torch::kUInt8),
      int8 ? torch::empty({rows}, torch::kFloat32) : torch::empty({rows, padded / kGroupColumns}, torch::kBFloat16),
      rows, columns};
  in_parallel(rows, columns, [&](std::int64_t first, std::int64_t last) {
    std::vector<float> row(static_cast<std::size_t>(columns));
    for (std::int64_t r = first; r < last; ++r) {
      widen(element_of(w), row_of(w, r, columns), row.data(), columns);
      // The integers would hide this fault: the perplexity would be one that the model doesn't have.
      if (!std::ranges::all_of(row, [](float x) { return std::isfinite(x); }))
        throw InputError("weights", "are not all finite, so they can't be quantised",
                         "the model has diverged, or its file is damaged");
      if (int8)
        result.scales.mutable_data_ptr<float>()[r] =
            quantize_row_int8(row.data(), columns, static_cast<std::int8_t*>(row_of(result.values, r, padded)));
      else
        quantize_row_int4(row.data(), columns, static_cast<std::uint8_t*>(row_of(result.values, r, padded / 2)),
                          static_cast<Bf16*>(row_of(result.scales, r, padded / kGroupColumns)));
    }
  });
  if (!native) {
    result.values = result.values.narrow(1, 0, columns).contiguous().to(weight.device());
    result.scales = result.scales.to(weight.options());  // once, not for each product
  }
  return result;
}

namespace {

QuantizedWeight some_rows(const QuantizedWeight& weight, std::int64_t first, std::int64_t count) {
  QuantizedWeight some = weight;
  some.values = weight.values.narrow(0, first, count);
  some.scales = weight.scales.narrow(0, first, count);
  some.rows = count;
  return some;
}

}  // namespace

torch::Tensor dequantize(const QuantizedWeight& weight, torch::Dtype dtype) {
  TORCH_CHECK(on_native_path(weight.values), "dequantize: the integers lie as LibTorch's product wants them");
  const torch::Tensor result = torch::empty({weight.rows, weight.columns}, dtype);
  const WeightRows rows = weight_rows(weight);
  in_parallel(weight.rows, weight.columns, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r)
      dequantize_row(rows, r, element_of(result), row_of(result, r, weight.columns));
  });
  return result;
}

torch::Tensor quantized_linear(const torch::Tensor& x, const QuantizedWeight& weight) {
  if (!on_native_path(x)) return int8_linear(x, weight.values, weight.scales);
  if (x.numel() / weight.columns < kManyTokens) return gemv(x, weight_rows(weight), weight.rows);
  if (!has_kernels(x)) return quantized_linear(x.to(torch::kFloat32), weight).to(x.scalar_type());  // fp16
  if (!better_in_fp32(x)) return at::linear(x, dequantize(weight, x.scalar_type()));
  return linear_product_in_fp32(x, weight.rows, [&](std::int64_t first, std::int64_t count) {
    return dequantize(some_rows(weight, first, count), torch::kFloat32);
  });
}

torch::Tensor int8_linear(const torch::Tensor& x, const torch::Tensor& values, const torch::Tensor& scales) {
  return at::_weight_int8pack_mm(as_matrix(x).contiguous(), values, scales.to(x.scalar_type()))
      .view(shape_with_columns(x, values.size(0)));
}

}  // namespace bench::model
