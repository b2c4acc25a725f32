#include "model/fused/linear.h"
#include "tests/model/equals_plain.h"
#include "tests/model/random_sizes.h"

namespace bench::model {
namespace {

const Operator fused = [](const Tensors& in) { return fused_linear(in[0], {in[1], in[1]}); };
const Operator plain = [](const Tensors& in) { return torch::linear(in[0], in[1]); };

TEST(FusedLinear, EqualsPlainForwardAndBackward) {
  for (const auto& [tokens, out, in] :
       std::vector<std::array<std::int64_t, 3>>{{1, 1, 1}, {1, 7, 64}, {3, 33, 5}, {15, 40, 130}, {16, 1030, 20}})
    expect_equal(fused, plain, {torch::randn({1, tokens, in}), torch::randn({out, in})},
                 fmt::format("{} x {} x {}", tokens, out, in));
}

TEST(FusedLinear, EqualsPlainInRandomSizes) {
  RandomSizes random(5);
  for (int i = 0; i < 20; ++i) {
    const std::int64_t batch = random.up_to(3), tokens = i == 0 ? 1 : random.odd_up_to(39);
    const std::int64_t in = random.odd_up_to(199), out = random.odd_up_to(199);
    expect_equal(fused, plain, {torch::randn({batch, tokens, in}), torch::randn({out, in})},
                 fmt::format("{} x {} x {} x {}", batch, tokens, out, in));
  }
}

/// The gradient of a fp32 weight, of sum(y * g), when products are made in g's dtype by plain operators.
torch::Tensor plain_weight_gradient(const torch::Tensor& x, const torch::Tensor& weight, const torch::Tensor& g) {
  const torch::Tensor leaf = weight.detach().requires_grad_();
  torch::linear(x, leaf.to(g.scalar_type())).backward(g);
  return leaf.grad();
}

TEST(FusedLinear, AddsToTheGradientThatIsThereInItsPlace) {
  for (const auto& [tokens, out, in] : std::vector<std::array<std::int64_t, 3>>{{8, 5, 3}, {70, 129, 65}})
    for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
      SCOPED_TRACE(fmt::format("{} x {} x {}, {}", tokens, out, in, toString(dtype)));
      const torch::Tensor x = torch::randn({tokens, in}), g = torch::randn({tokens, out});
      const torch::Tensor weight = torch::randn({out, in}).requires_grad_(), cast = weight.detach().to(dtype);
      const torch::Tensor exact = g.to(torch::kFloat64).t().mm(x.to(torch::kFloat64));
      const torch::Tensor before = exact.to(torch::kFloat32);  // of a size that hides nothing of what is added
      weight.mutable_grad() = before.clone();
      const void* place = weight.grad().data_ptr();
      fused_linear(x.to(dtype), {weight, cast}).backward(g.to(dtype));
      const double plain_error = error(plain_weight_gradient(x.to(dtype), weight, g.to(dtype)), exact);
      EXPECT_LE(error(weight.grad() - before, exact), dtype == torch::kFloat32 ? 1e-5 : 1.5 * plain_error + 1.0 / 256);
      EXPECT_EQ(weight.grad().data_ptr(), place);
      EXPECT_EQ(weight.grad().scalar_type(), torch::kFloat32);
    }
}

}  // namespace
}  // namespace bench::model
