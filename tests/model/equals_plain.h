#pragma once

#include "model/fused/products.h"
#include "tests/model/tiny.h"

#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace bench::model {

using Tensors = std::vector<torch::Tensor>;
using Operator = std::function<torch::Tensor(const Tensors&)>;

/// The result and the gradient by each input of sum(result * weight), for a fixed weight.
inline Tensors values_and_gradients(const Operator& f, const Tensors& inputs, torch::Dtype dtype) {
  Tensors leaves;
  for (const auto& x : inputs) leaves.push_back(x.detach().to(dtype).requires_grad_());
  const torch::Tensor y = f(leaves);
  const torch::Tensor weight =
      torch::cos(torch::arange(y.numel(), torch::kFloat64)).view(y.sizes()).to(y.scalar_type());
  y.backward(weight);
  Tensors all{y.detach()};
  for (const auto& leaf : leaves) all.push_back(leaf.grad());
  return all;
}

/// Largest difference over the largest value; over a tenth where the exact result is all but 0 and inputs are about 1.
inline double error(const torch::Tensor& a, const torch::Tensor& exact) {
  const torch::Tensor wide = exact.to(torch::kFloat64);
  return largest(a.to(torch::kFloat64) - wide) / std::max(wide.abs().max().item<double>(), 0.1);
}

/// What the plain formula gives in fp64, and in bf16.
struct Expected {
  Expected(const Operator& plain, const Tensors& all_inputs)
      : inputs(all_inputs),
        exact(values_and_gradients(plain, inputs, torch::kFloat64)),
        bf16(values_and_gradients(plain, inputs, torch::kBFloat16)) {}
  Tensors inputs, exact, bf16;
};

/// As near to what fp64 gives as the plain formula in bf16, which rounds at more places: at most half as far again, and
/// one unit in bf16's last place (2^-8).
inline void expect_good_bf16(const torch::Tensor& result, const torch::Tensor& plain, const torch::Tensor& exact,
                             const std::string& what) {
  EXPECT_LE(error(result, exact), 1.5 * error(plain, exact) + 1.0 / 256) << what;
}

/// Fused = plain to 1e-5 in fp32, and as good in bf16, on processors with and without products of it.
inline void expect_equal(const Operator& fused, const Expected& expected, const std::string& what) {
  const Tensors fp32 = values_and_gradients(fused, expected.inputs, torch::kFloat32);
  for (std::size_t i = 0; i < fp32.size(); ++i)
    EXPECT_LE(error(fp32[i], expected.exact[i]), 1e-5) << what << ", output " << i;
  for (const bool products : {false, true}) {
    const AssumedBf16Products assumed(products);
    const Tensors bf16 = values_and_gradients(fused, expected.inputs, torch::kBFloat16);
    for (std::size_t i = 0; i < bf16.size(); ++i)
      expect_good_bf16(bf16[i], expected.bf16[i], expected.exact[i],
                       what + ", output " + std::to_string(i) + (products ? ", bf16 products" : ", widened"));
  }
}

inline void expect_equal(const Operator& fused, const Operator& plain, const Tensors& inputs, const std::string& what) {
  expect_equal(fused, Expected(plain, inputs), what);
}

}  // namespace bench::model
