#pragma once

#include "model/tensor.h"

namespace bench::model {

/// A module that computes in one of two ways, which agree to rounding: with fused operators, or by the plain formulas.
class Switchable : public torch::nn::Module {
 public:
  void set_fused(bool fused) { fused_ = fused; }

 protected:
  bool fused_ = true;
};

}  // namespace bench::model
