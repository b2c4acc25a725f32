#pragma once

#include "model/tensor.h"

#include <cstdint>

namespace bench::model {

/// How a model's matrices are stored while it decodes; activations stay as they are.
enum class Quantization { kNone, kInt8, kInt4 };

/// A matrix [rows, columns] of integers with scales: 8 bits with a scale for each row, or 4 bits with a scale for
/// each 64 columns of a row (4.25 bits in all). On the native path in the layout of kernels/weight_rows.h; elsewhere 8
/// bits only, as LibTorch's own product wants them: values int8 [rows, columns], scales [rows] of the weight's dtype.
struct QuantizedWeight {
  Quantization quantization = Quantization::kNone;
  torch::Tensor values, scales;
  std::int64_t rows = 0, columns = 0;
};

/// Quantises weight [rows, columns]; quantization must not be kNone. Throws InputError for 4 bits where the path isn't
/// native, and for a weight that isn't finite.
QuantizedWeight quantize(const torch::Tensor& weight, Quantization quantization);

/// The matrix that the integers stand for, fp32 or bf16. On the native path.
torch::Tensor dequantize(const QuantizedWeight& weight, torch::Dtype dtype);

/// Returns x W^T in x's dtype, without gradients. x [..., columns]. On the native path, a few tokens are multiplied
/// with the integers as they are; for many tokens the matrix is dequantised and LibTorch's product is used. Elsewhere
/// int8_linear is used.
torch::Tensor quantized_linear(const torch::Tensor& x, const QuantizedWeight& weight);

/// Computes the same with LibTorch's product of quantized weights: values int8 [rows, columns], scales [rows], on any
/// device.
torch::Tensor int8_linear(const torch::Tensor& x, const torch::Tensor& values, const torch::Tensor& scales);

}  // namespace bench::model
