#pragma once

#include "model/tensor.h"

#include <functional>

namespace bench::model {

/// Gradient checkpointing: computes y = f(x) without keeping what f computes on the way. In the backward pass f runs
/// once more. f must be a pure function of x and of its parameters, without random numbers other than those that follow
/// from a seed (see dropout.h). x must require a gradient. Memory: x instead of f's activations. Cost: one more forward
/// pass. Chen et al., 2016 (arXiv 1604.06174).
torch::Tensor recompute_in_backward(const std::function<torch::Tensor(const torch::Tensor&)>& f,
                                    const torch::Tensor& x);

}  // namespace bench::model
