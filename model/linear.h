#pragma once

#include "model/tensor.h"

namespace bench::model {

/// y = x W^T without a bias, computed in x's dtype: fp32 master weights are cast where they are used, and their
/// gradients come back in fp32. `options`: dtype and device of the weight, which starts uninitialised. x [..., in],
/// weight [out, in].
class LinearImpl : public torch::nn::Module {
 public:
  LinearImpl(std::int64_t in, std::int64_t out, const torch::TensorOptions& options) {
    weight_ = register_parameter("weight", torch::empty({out, in}, options));
  }
  torch::Tensor forward(const torch::Tensor& x) { return torch::linear(x, weight_.to(x.dtype())); }
  const torch::Tensor& weight() const { return weight_; }

 private:
  torch::Tensor weight_;
};
TORCH_MODULE(Linear);

}  // namespace bench::model
