#include "model/fused/embedding.h"
#include "model/fused/feed_forward.h"
#include "model/fused/gemv.h"
#include "model/fused/products.h"
#include "model/fused/rms_norm.h"
#include "model/fused/transposed.h"
#include "model/fused/weight_gradient.h"
#include "model/linear.h"
#include "model/rms_norm.h"
#include "tests/kept_threads.h"
#include "tests/model/equals_plain.h"
#include "tests/model/instruction_sets.h"

#include <gtest/gtest.h>
#include <torch/autograd.h>

namespace bench::model {
namespace {

TEST(FusedRmsNorm, EqualsPlainForwardAndBackward) {
  for (const auto& [rows, columns] :
       std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 1}, {3, 7}, {5, 64}, {700, 129}}) {
    // One value over its own norm is its sign: with a small eps the gradient is all cancellation.
    const double eps = columns == 1 ? 0.5 : 1e-5;
    expect_equal([eps](const Tensors& in) { return fused_rms_norm(in[0], in[1], eps); },
                 [eps](const Tensors& in) { return rms_norm(in[0], in[1], eps); },
                 {torch::randn({rows, columns}), torch::randn({columns})}, fmt::format("{} x {}", rows, columns));
  }
}

TEST(FusedFeedForward, EqualsPlainForwardAndBackward) {
  for (const auto& [tokens, hidden, inner] :
       std::vector<std::array<std::int64_t, 3>>{{1, 4, 5}, {13, 16, 37}, {64, 32, 96}})
    expect_equal(
        [](const Tensors& in) { return fused_feed_forward(in[0], {in[1], in[1]}, {in[2], in[2]}, {in[3], in[3]}); },
        [](const Tensors& in) {
          return torch::linear(torch::silu(torch::linear(in[0], in[1])) * torch::linear(in[0], in[2]), in[3]);
        },
        {torch::randn({2, tokens, hidden}), torch::randn({inner, hidden}), torch::randn({inner, hidden}),
         torch::randn({hidden, inner}) * 0.1},
        fmt::format("{} x {} x {}", tokens, hidden, inner));
}

TEST(FusedFeedForward, LargeGatesStayFinite) {
  const torch::Tensor x = torch::full({1, 1}, 200.0f).requires_grad_();
  const torch::Tensor minus = torch::full({1, 1}, -1.0f), one = torch::ones({1, 1});
  for (const auto& gate : {minus, one}) {
    const torch::Tensor y = fused_feed_forward(x, {gate, gate}, {one, one}, {one, one});
    EXPECT_TRUE(torch::isfinite(y).all().item<bool>());
    EXPECT_TRUE(torch::isfinite(torch::autograd::grad({y.sum()}, {x})[0]).all().item<bool>());
  }
}

TEST(FusedEmbedding, AddsRepeatedTokensToTheGradientThatIsThere) {
  const torch::Tensor table = torch::randn({5, 3}).requires_grad_();
  table.mutable_grad() = torch::ones({5, 3});
  const torch::Tensor ids = torch::tensor({{4, 0, 4}}, torch::kInt64);
  const torch::Tensor y = fused_embedding(table, ids, torch::kFloat32);
  EXPECT_TRUE(torch::equal(y, torch::embedding(table, ids)));
  y.sum().backward();
  EXPECT_TRUE(torch::equal(table.grad().select(1, 0), torch::tensor({2.0f, 1.0f, 1.0f, 1.0f, 3.0f})));
}

TEST(LinearProduct, AllWaysRoundExactProductsOnceToBf16) {
  const torch::Tensor weight = torch::randn({1030, 100}).to(torch::kBFloat16);  // not whole times 512
  for (const std::int64_t tokens : {std::int64_t{5}, kManyTokens}) {
    const torch::Tensor x = torch::randn({2, tokens, 100}).to(torch::kBFloat16);
    const torch::Tensor exact = torch::linear(x.to(torch::kFloat64), weight.to(torch::kFloat64));
    for (const auto way : {ProductWay::kLibTorch, ProductWay::kFp32, ProductWay::kRows}) {
      const torch::Tensor y = linear_product(x, weight, way);
      EXPECT_EQ(y.scalar_type(), torch::kBFloat16);
      EXPECT_TRUE(torch::allclose(y.to(torch::kFloat64), exact, 1.0 / 256, 1e-4)) << static_cast<int>(way);
    }
  }
}

TEST(LinearProduct, LeavesLibTorchForBf16WithoutTheInstructionsAlone) {
  const torch::Tensor many = torch::zeros({kManyTokens, 8}, torch::kBFloat16);
  const torch::Tensor few = many.narrow(0, 0, kManyTokens - 1);
  for (const bool products : {false, true}) {
    const AssumedBf16Products assumed(products);
    EXPECT_EQ(product_way(many), products ? ProductWay::kLibTorch : ProductWay::kFp32);
    EXPECT_EQ(product_way(few), products ? ProductWay::kLibTorch : ProductWay::kRows);
    EXPECT_EQ(product_way(many.to(torch::kFloat32)), ProductWay::kLibTorch);
    EXPECT_EQ(better_in_fp32(many), !products);
    EXPECT_FALSE(better_in_fp32(few));
    EXPECT_FALSE(better_in_fp32(many.to(torch::kFloat32)));
  }
}

TEST(Transposed, EqualsLibTorchsForAnySize) {
  on_every_instruction_set([] {
    for (const auto dtype : {torch::kBFloat16, torch::kFloat16, torch::kFloat32})
      for (const std::int64_t rows : {1, 7, 64, 203})
        for (const std::int64_t columns : {1, 8, 66, 641}) {
          const torch::Tensor matrix = torch::randn({rows, columns}).to(dtype);
          const torch::Tensor result = transposed(matrix);
          EXPECT_TRUE(result.is_contiguous());
          EXPECT_TRUE(torch::equal(result, matrix.t())) << dtype << ' ' << rows << " x " << columns;
        }
  });
  const torch::Tensor whole = torch::randn({40, 50}).to(torch::kBFloat16);
  const torch::Tensor part = whole.narrow(1, 3, 20), empty = whole.narrow(0, 0, 0);
  EXPECT_TRUE(torch::equal(transposed(part), part.t()));
  EXPECT_EQ(transposed(empty).sizes(), empty.t().sizes());
}

TEST(WeightGradient, OfBf16IsAddedInFp32WhicheverSideIsNarrower) {
  for (const auto& [inputs, outputs] : {std::pair{24, 70}, {70, 24}, {33, 33}})
    for (const bool first : {true, false}) {
      torch::Tensor weight = torch::zeros({outputs, inputs}).requires_grad_();
      const torch::Tensor before = first ? torch::zeros({outputs, inputs}) : torch::randn({outputs, inputs});
      if (!first) weight.mutable_grad() = before.clone();
      const torch::Tensor y_gradient = torch::randn({50, outputs}).to(torch::kBFloat16),
                          x = torch::randn({50, inputs}).to(torch::kBFloat16);
      const torch::Tensor result = add_weight_gradient(weight, y_gradient, x);
      EXPECT_EQ(result.defined(), first);  // else it has been added
      const torch::Tensor product = y_gradient.to(torch::kFloat32).t().mm(x.to(torch::kFloat32));
      EXPECT_TRUE(torch::allclose(first ? result : weight.grad() - before, product, 1.0 / 256, 1e-4))
          << inputs << " to " << outputs;
    }
}

TEST(WeightGradient, IsTheSameByRows) {
  for (const auto dtype : {torch::kFloat32, torch::kBFloat16})
    for (const bool first : {true, false}) {
      torch::Tensor weight = torch::zeros({12, 20}).requires_grad_();
      if (!first) weight.mutable_grad() = torch::ones({12, 20});
      const torch::Tensor y_gradient = torch::randn({50, 12}).to(dtype), x = torch::randn({50, 20}).to(dtype);
      const torch::Tensor result = add_weight_gradient_by_rows(weight, y_gradient, x, /*rows=*/16);
      EXPECT_EQ(result.defined(), first);
      const torch::Tensor product = y_gradient.to(torch::kFloat32).t().mm(x.to(torch::kFloat32));
      EXPECT_TRUE(torch::allclose(first ? result : weight.grad() - 1, product, 1.0 / 64, 1e-1)) << dtype;
      if (dtype == torch::kFloat32) {
        EXPECT_TRUE(torch::allclose(first ? result : weight.grad() - 1, product, 1e-5, 1e-5));
      }
    }
}

TEST(Linear, CastsAnewWhenTheWeightChanges) {
  Linear linear(3, 2, torch::TensorOptions());
  {
    const torch::NoGradGuard no_grad;
    linear->parameters()[0].fill_(1);
  }
  const torch::Tensor x = torch::ones({1, 3}, torch::kBFloat16);
  EXPECT_EQ(linear(x)[0][0].item<double>(), 3);
  const void* place = linear->weight_in(torch::kBFloat16).in_compute.data_ptr();
  {
    const torch::NoGradGuard no_grad;
    linear->parameters()[0].fill_(2);
  }
  EXPECT_EQ(linear(x)[0][0].item<double>(), 6);
  EXPECT_EQ(linear->weight_in(torch::kBFloat16).in_compute.data_ptr(), place);
}

}  // namespace
}  // namespace bench::model
