// Fused operators against the plain formulas in sizes that nobody chose: odd lengths, a batch of one, a single token.
#include "model/dropout.h"
#include "model/fused/feed_forward.h"
#include "model/fused/rms_norm.h"
#include "model/rms_norm.h"
#include "tests/model/equals_plain.h"
#include "tests/model/instruction_sets.h"
#include "tests/model/random_sizes.h"

namespace bench::model {
namespace {

TEST(FusedRmsNorm, EqualsPlainInRandomSizes) {
  RandomSizes random(1);
  for (int i = 0; i < 30; ++i) {
    const std::int64_t batch = random.up_to(3), tokens = i == 0 ? 1 : random.odd_up_to(99);
    const std::int64_t columns = 2 + random.odd_up_to(299);
    expect_equal([](const Tensors& in) { return fused_rms_norm(in[0], in[1], 1e-5); },
                 [](const Tensors& in) { return rms_norm(in[0], in[1], 1e-5); },
                 {torch::randn({batch, tokens, columns}), torch::randn({columns})},
                 fmt::format("{} x {} x {}", batch, tokens, columns));
  }
}

TEST(FusedFeedForward, EqualsPlainInRandomSizes) {
  RandomSizes random(2);
  for (int i = 0; i < 20; ++i) {
    const std::int64_t batch = random.up_to(3), tokens = i == 0 ? 1 : random.odd_up_to(59);
    const std::int64_t hidden = random.odd_up_to(79), inner = random.odd_up_to(199);
    const double narrow = 1 / std::sqrt(static_cast<double>(hidden));  // keeps gates where silu bends
    expect_equal(
        [](const Tensors& in) { return fused_feed_forward(in[0], {in[1], in[1]}, {in[2], in[2]}, {in[3], in[3]}); },
        [](const Tensors& in) {
          return torch::linear(torch::silu(torch::linear(in[0], in[1])) * torch::linear(in[0], in[2]), in[3]);
        },
        {torch::randn({batch, tokens, hidden}), torch::randn({inner, hidden}) * narrow,
         torch::randn({inner, hidden}) * narrow, torch::randn({hidden, inner})},
        fmt::format("{} x {} x {} x {}", batch, tokens, hidden, inner));
  }
}

/// y is the exact number rounded to bf16 once, up to what fp32 loses in between.
void expect_rounded_once(const torch::Tensor& y, const torch::Tensor& exact) {
  EXPECT_EQ(y.scalar_type(), torch::kBFloat16);
  const torch::Tensor off = (y.to(torch::kFloat64) - exact).abs() - exact.abs() * (1.001 / 256);
  EXPECT_LE(off.max().item<double>(), 1e-6);
}

TEST(DropoutSizes, InBf16IsTheFormulaWithTheMaskOfFp32RoundedOnce) {
  on_every_instruction_set([] {
    for (const double probability : {0.1, 0.5})
      for (const std::int64_t n : {1, 63, 64, 65, 10'001}) {
        SCOPED_TRACE(fmt::format("{} of {}", probability, n));
        const auto wide = [](const torch::Tensor& t) { return t.to(torch::kFloat64); };
        const torch::Tensor x = torch::randn({2, n}).to(torch::kBFloat16).requires_grad_();
        const torch::Tensor residual = torch::randn({2, n}).to(torch::kBFloat16).requires_grad_();
        const torch::Tensor g = torch::randn({2, n}).to(torch::kBFloat16);
        const DropoutSite site{{.seed = 3}};
        const torch::Tensor factor = wide(dropout(torch::ones({2, n}), probability, site).gt(0)) / (1 - probability);
        const torch::Tensor sum = dropout_add(residual, x, probability, site);
        expect_rounded_once(sum.detach(), wide(residual.detach()) + wide(x.detach()) * factor);
        sum.backward(g);
        EXPECT_TRUE(torch::equal(residual.grad(), g));
        expect_rounded_once(x.grad(), wide(g) * factor);
        expect_rounded_once(dropout(x, probability, site).detach(), wide(x.detach()) * factor);
      }
  });
}

}  // namespace
}  // namespace bench::model
