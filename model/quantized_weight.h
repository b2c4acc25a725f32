#pragma once

#include "model/tensor.h"

#include <cstdint>

namespace bench::model {

/// How a model's matrices are stored while it decodes; activations stay as they are.
enum class Quantization { kNone, kInt8, kInt4 };

/// A matrix [rows, columns] of whole numbers with scales on the CPU, in the layout of kernels/weight_rows.h: 8 bits with a scale
/// for each row, or 4 bits with a scale for each 64 columns of a row (4.25 bits in all).
struct QuantizedWeight {
  Quantization quantization = Quantization::kNone;
  torch::Tensor values, scales;
  std::int64_t rows = 0, columns = 0;

  std::int64_t bytes() const { return static_cast<std::int64_t>(values.nbytes() + scales.nbytes()); }
};

/// weight [rows, columns] fp32 or bf16 on the CPU; quantization is not kNone.
QuantizedWeight quantize(const torch::Tensor& weight, Quantization quantization);

/// The matrix that the whole numbers stand for, fp32 or bf16.
torch::Tensor dequantize(const QuantizedWeight& weight, torch::Dtype dtype);

/// x W^T in x's dtype, without gradients. x [..., columns] fp32 or bf16. A few tokens read the whole numbers
/// as they are; for many the matrix is dequantised once and LibTorch's product serves.
torch::Tensor quantized_linear(const torch::Tensor& x, const QuantizedWeight& weight);

}  // namespace bench::model
