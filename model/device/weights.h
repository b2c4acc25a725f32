#pragma once

#include "model/device/kernels.h"
#include "model/tensor.h"

#include <vector>

namespace bench::model {

/// A matrix of weights: values [rows, columns], or int8 values with scales [rows] of the activations' dtype.
struct DeviceMatrix {
  torch::Tensor values, scales;

  /// x W^T in one launch. x [N, columns] -> [N, rows].
  torch::Tensor product(const torch::Tensor& x) const {
    return scales.defined() ? at::_weight_int8pack_mm(x, values, scales) : at::linear(x, values);
  }
};

/// What the device path reads of one block. Matrices with the same input are one matrix: q, k and v; gate and up.
struct DeviceLayer {
  torch::Tensor input_norm, post_attention_norm;  // [C]
  DeviceMatrix qkv, o, gate_up, down;
};

/// A whole model, except its head, as the device path reads it. These are views of the model's weights.
struct DeviceWeights {
  torch::Tensor embedding;  // [V, C]
  std::vector<DeviceLayer> layers;
  torch::Tensor norm;     // [C]
  RotationTables tables;  // of all positions
  double eps = 0;
};

}  // namespace bench::model
