#pragma once

#include "model/config.h"
#include "model/tensor.h"

#include <functional>
#include <string>
#include <vector>

namespace bench::harness {

/// One operator of the model on inputs of a given size, as training calls it, with what it must cost. Weights are fp32
/// masters that have their gradients already; inputs are of the compute dtype.
struct PreparedOperator {
  std::function<torch::Tensor()> forward;
  std::vector<torch::Tensor> inputs;  // training hands their gradients on; it adds those of weights up
  double flops = 0;                   // of the forward pass
  double bytes = 0;                   // that the forward pass must read and write at least
  double backward = 2;                // cost of the backward pass, in forward passes; 0: `forward` does it all
};

std::vector<std::string> operator_names();

/// `options`: compute dtype and device of the inputs, which are random. The name must be one of operator_names().
/// `fused`: true for our operators, false for the plain formulas.
PreparedOperator prepare_operator(const std::string& name, const model::ModelConfig& config, std::int64_t batch,
                                  std::int64_t tokens, const torch::TensorOptions& options, bool fused);

}  // namespace bench::harness
