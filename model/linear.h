#pragma once

#include "model/device/weights.h"
#include "model/fused/gemv.h"
#include "model/fused/linear.h"
#include "model/fused/rows.h"
#include "model/quantized_weight.h"
#include "model/switchable.h"

#include <initializer_list>

namespace bench::model {

/// x W^T by LibTorch's own product, of x [..., in] as a matrix: on MPS a product of three dimensions is not
/// deterministic, and for [B, 1, C] up to eight times slower (pytorch/pytorch#180776, #189847).
inline torch::Tensor linear_formula(const torch::Tensor& x, const torch::Tensor& weight) {
  return torch::linear(as_matrix(x), weight).view(shape_with_columns(x, weight.size(0)));
}

/// y = x W^T without a bias, computed in x's dtype. fp32 master weights are cast where they are used, or once a step
/// when fused; their gradients come back in fp32. `options` are the dtype and device of the weight, which starts
/// uninitialised. x [..., in], weight [out, in].
class LinearImpl : public Switchable {
 public:
  LinearImpl(std::int64_t in, std::int64_t out, const torch::TensorOptions& options) {
    weight_ = register_parameter("weight", torch::empty({out, in}, options));
  }
  torch::Tensor forward(const torch::Tensor& x) {
    if (quantized()) return quantized_linear(x, quantized_);
    if (!fused_) return linear_formula(x, weight_.to(x.dtype()));
    return fused_linear(x, weight_in(x.scalar_type()));
  }
  const torch::Tensor& weight() const { return weight_; }
  /// The weight and its value in `compute`, which is cast anew when the weight was changed.
  Weight weight_in(torch::Dtype compute);

  /// Keeps the weight as integers from now on, for inference; the parameter becomes empty.
  void quantize(Quantization quantization);
  bool quantized() const { return quantized_.quantization != Quantization::kNone; }
  /// The weight as the device path reads it.
  DeviceMatrix device_matrix() const {
    return quantized() ? DeviceMatrix{quantized_.values, quantized_.scales} : DeviceMatrix{weight_, {}};
  }
  /// Makes `all` the matrix of all rows of these linears, which have the same input. Their weights are then parts of
  /// it. Does nothing if `all` is that matrix already.
  static void join(DeviceMatrix& all, std::initializer_list<LinearImpl*> linears);
  /// The weight as it is stored, row by row.
  WeightRows rows() const { return quantized() ? weight_rows(quantized_) : weight_rows(weight_); }

 private:
  torch::Tensor weight_, cast_;
  QuantizedWeight quantized_;
  std::int64_t cast_version_ = -1;  // of weight_, when it was cast
};
TORCH_MODULE(Linear);

}  // namespace bench::model
