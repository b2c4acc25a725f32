#include "model/attention.h"
#include "model/feed_forward.h"
#include "model/fused/attention.h"
#include "model/fused/dropout.h"
#include "model/fused/embedding.h"
#include "model/fused/feed_forward.h"
#include "model/fused/head_loss.h"
#include "model/fused/linear.h"
#include "model/fused/products.h"
#include "model/fused/rms_norm.h"
#include "model/fused/row_products.h"
#include "model/fused/transposed.h"
#include "model/loss.h"
#include "model/rms_norm.h"
#include "model/rope.h"
#include "tests/model/instruction_sets.h"
#include "tests/model/tiny.h"

#include <gtest/gtest.h>
#include <torch/autograd.h>

namespace bench::model {
namespace {

using Tensors = std::vector<torch::Tensor>;
using Operator = std::function<torch::Tensor(const Tensors&)>;

/// The result and the gradient by each input of sum(result * weight), for a fixed weight.
Tensors values_and_gradients(const Operator& f, const Tensors& inputs, torch::Dtype dtype) {
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

/// Largest difference over the largest value; over a hundredth where the exact result is all but 0 and inputs are
/// about 1.
double error(const torch::Tensor& a, const torch::Tensor& exact) {
  const torch::Tensor wide = exact.to(torch::kFloat64);
  return largest(a.to(torch::kFloat64) - wide) / std::max(wide.abs().max().item<double>(), 0.01);
}

/// Fused = plain to 1e-5 in fp32; in bf16 it is as near to what fp64 gives as the plain formula in bf16, which rounds
/// at more places: at most half as far again, and one unit in bf16's last place (2^-8).
void expect_equal(const Operator& fused, const Operator& plain, const Tensors& inputs, const std::string& what) {
  const Tensors exact = values_and_gradients(plain, inputs, torch::kFloat64);
  const Tensors fp32 = values_and_gradients(fused, inputs, torch::kFloat32);
  const Tensors bf16 = values_and_gradients(fused, inputs, torch::kBFloat16);
  const Tensors plain_bf16 = values_and_gradients(plain, inputs, torch::kBFloat16);
  for (std::size_t i = 0; i < exact.size(); ++i) {
    EXPECT_LE(error(fp32[i], exact[i]), 1e-5) << what << ", output " << i;
    EXPECT_LE(error(bf16[i], exact[i]), 1.5 * error(plain_bf16[i], exact[i]) + 1.0 / 256) << what << ", output " << i;
  }
}

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

Operator attention_by(torch::Tensor (*f)(const torch::Tensor&, const torch::Tensor&, const torch::Tensor&,
                                         const torch::Tensor&, const torch::Tensor&, std::int64_t)) {
  return [f](const Tensors& in) {
    Rope rope(8, in[0].size(1), 10000.0);
    return f(in[0], in[1], in[2], rope->cos(in[0].size(1)), rope->sin(in[0].size(1)), 8);
  };
}

/// Rotation and the formula of attention with heads of 8.
torch::Tensor plain_attention(const Tensors& in) {
  const std::int64_t batch = in[0].size(0), tokens = in[0].size(1);
  const auto split = [&](const torch::Tensor& x) { return x.view({batch, tokens, -1, 8}).transpose(1, 2); };
  const auto turn = [&](const torch::Tensor& x) {  // in the dtype at hand, so that fp64 stays that
    Rope rope(8, tokens, 10000.0);
    const torch::Tensor cos = rope->cos(tokens).to(x.dtype()), sin = rope->sin(tokens).to(x.dtype());
    const auto halves = x.chunk(2, -1);
    return torch::cat({halves[0] * cos - halves[1] * sin, halves[1] * cos + halves[0] * sin}, -1);
  };
  const torch::Tensor y = causal_attention_plain(turn(split(in[0])), turn(split(in[1])), split(in[2]));
  return y.transpose(1, 2).reshape({batch, tokens, -1});
}

TEST(TiledAttention, EqualsPlainForwardAndBackward) {
  for (const auto& [batch, tokens, heads, kv_heads] :
       std::vector<std::array<std::int64_t, 4>>{{1, 1, 1, 1},
                                                {2, 7, 4, 2},
                                                {1, kQueryBlock, 2, 1},
                                                {1, kQueryBlock + 1, 4, 4},
                                                {2, 2 * kQueryBlock + 45, 6, 2},
                                                {1, 4 * kQueryBlock + 1, 2, 1}})  // in three parts by two threads
    for (const auto f : {tiled_attention, tiled_attention_plain})
      expect_equal(attention_by(f), plain_attention,
                   {torch::randn({batch, tokens, heads * 8}), torch::randn({batch, tokens, kv_heads * 8}),
                    torch::randn({batch, tokens, kv_heads * 8})},
                   fmt::format("{} x {}, {} heads, {} of keys, {}", batch, tokens, heads, kv_heads,
                               f == tiled_attention ? "kernels" : "plain"));
}

TEST(FusedDropout, KeepsTheRightShareAndTheGradientHasTheSameMask) {
  for (const std::int64_t n : {1, 63, 64, 65, 100001}) {
    torch::manual_seed(3);
    const torch::Tensor x = torch::ones({n}).requires_grad_(), residual = torch::full({n}, 2.0f).requires_grad_();
    const torch::Tensor y = fused_dropout_add(residual, x, 0.1);
    const auto gradients = torch::autograd::grad({y.sum()}, {residual, x});
    EXPECT_TRUE(torch::equal(gradients[0], torch::ones({n})));
    EXPECT_TRUE(torch::equal(gradients[1], y.detach() - 2)) << n;  // 0 or 1 / 0.9
    const torch::Tensor kept = gradients[1].gt(0).to(torch::kFloat64);
    EXPECT_LE(largest(gradients[1] - kept.to(torch::kFloat32) / 0.9f), 1e-6);
    if (n > 1000) {
      EXPECT_NEAR(kept.mean().item<double>(), 0.9, 5 * 0.3 / std::sqrt(static_cast<double>(n)));
    }
  }
}

TEST(FusedDropout, SameSeedSameMaskWhateverTheThreads) {
  const torch::Tensor x = torch::ones({70001});
  Tensors results;
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    torch::manual_seed(5);
    results.push_back(fused_dropout(x, 0.5));
  }
  at::set_num_threads(2);
  EXPECT_TRUE(torch::equal(results[0], results[1]));
  EXPECT_TRUE(torch::equal(results[0], results[2]));
  EXPECT_FALSE(torch::equal(results[0], fused_dropout(x, 0.5)));  // the next call draws anew
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

/// Loss, gradient by the hidden states and by the head, of 3 * loss.
Tensors plain_head(const Tensors& in, const torch::Tensor& targets) {
  const torch::Tensor hidden = in[0].detach().requires_grad_(), weight = in[1].detach().requires_grad_();
  const torch::Tensor logits = torch::linear(hidden, weight);
  const torch::Tensor loss = at::cross_entropy_loss(logits.reshape({-1, logits.size(-1)}), targets.reshape({-1}), {},
                                                    at::Reduction::Mean, kNotScored);
  (loss * 3).backward();
  return {loss.detach(), hidden.grad(), weight.grad()};
}

TEST(HeadLoss, EqualsPlainInPiecesAndWithTargetsThatDontCount) {
  const std::int64_t rows = head_loss_rows(50021, 4) + 3;  // two pieces, the second of a few rows
  for (const auto& [tokens, vocabulary] :
       std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 7}, {40, 33}, {rows, 50021}}) {
    const torch::Tensor hidden = torch::randn({1, tokens, 6}, torch::kFloat64);
    const torch::Tensor weight = torch::randn({vocabulary, 6}, torch::kFloat64);
    torch::Tensor targets = torch::randint(0, vocabulary, {1, tokens}, torch::kInt64);
    if (tokens > 1) targets.index_put_({0, 1}, kNotScored);
    const Tensors exact = plain_head({hidden, weight}, targets);
    for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
      // Sums over 50021 words round in the plain formula as well.
      const Tensors plain = plain_head({hidden.to(dtype), weight.to(dtype)}, targets);
      torch::Tensor master = weight.to(torch::kFloat32).requires_grad_();
      master.mutable_grad() = torch::ones_like(master);
      const HeadLoss got = head_loss_backward(hidden.to(dtype), {master, weight.to(dtype)}, targets, 3);
      const double unit = dtype == torch::kFloat32 ? 1e-5 : 1.0 / 256;
      EXPECT_LE(error(got.loss, exact[0]), 1.5 * error(plain[0], exact[0]) + unit) << tokens;
      EXPECT_LE(error(got.hidden_gradient, exact[1]), 1.5 * error(plain[1], exact[1]) + unit) << tokens;
      EXPECT_LE(error(master.grad() - 1, exact[2]), 1.5 * error(plain[2], exact[2]) + 10 * unit) << tokens;  // beside 1
    }
  }
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
  EXPECT_EQ(product_way(many), has_bf16_products() ? ProductWay::kLibTorch : ProductWay::kFp32);
  EXPECT_EQ(product_way(few), has_bf16_products() ? ProductWay::kLibTorch : ProductWay::kRows);
  EXPECT_EQ(product_way(many.to(torch::kFloat32)), ProductWay::kLibTorch);
  EXPECT_EQ(better_in_fp32(many), !has_bf16_products());
  EXPECT_FALSE(better_in_fp32(few));
  EXPECT_FALSE(better_in_fp32(many.to(torch::kFloat32)));
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

TEST(FusedLinear, AddsToTheGradientThatIsThere) {
  for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
    const torch::Tensor weight = torch::randn({5, 3}).requires_grad_(), x = torch::randn({2, 4, 3}).to(dtype);
    const torch::Tensor cast = weight.detach().to(dtype);
    fused_linear(x, {weight, cast}).sum().backward();
    const torch::Tensor once = weight.grad().clone();
    const void* place = weight.grad().data_ptr();
    fused_linear(x, {weight, cast}).sum().backward();
    EXPECT_LE(largest(weight.grad() - 2 * once), 1e-5);
    EXPECT_EQ(weight.grad().data_ptr(), place);
    EXPECT_LE(error(once, torch::ones({8, 5}).t().mm(x.to(torch::kFloat32).view({8, 3}))), 1e-2);
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
