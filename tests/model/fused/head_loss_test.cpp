#include "model/fused/head_loss.h"

#include "model/loss.h"
#include "tests/model/equals_plain.h"
#include "tests/model/random_sizes.h"

namespace bench::model {
namespace {

/// Loss, gradient by the hidden states and by the head, of 3 * loss.
Tensors plain_head(const torch::Tensor& states, const torch::Tensor& head, const torch::Tensor& targets) {
  const torch::Tensor hidden = states.detach().requires_grad_(), weight = head.detach().requires_grad_();
  const torch::Tensor logits = torch::linear(hidden, weight);
  const torch::Tensor loss = at::cross_entropy_loss(logits.reshape({-1, logits.size(-1)}), targets.reshape({-1}), {},
                                                    at::Reduction::Mean, kNotScored);
  (loss * 3).backward();
  return {loss.detach(), hidden.grad(), weight.grad()};
}

/// As good as the plain formula, whose sums over a large vocabulary round as well: half as far again, and 1e-5 in fp32
/// or one unit in bf16's last place.
void expect_head_loss_equals_plain(const torch::Tensor& hidden, const torch::Tensor& weight,
                                   const torch::Tensor& targets) {
  SCOPED_TRACE(fmt::format("{} positions, {} wide, {} tokens", targets.numel(), weight.size(1), weight.size(0)));
  const Tensors exact = plain_head(hidden, weight, targets);
  for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
    SCOPED_TRACE(toString(dtype));
    const Tensors plain = plain_head(hidden.to(dtype), weight.to(dtype), targets);
    torch::Tensor master = weight.to(torch::kFloat32).requires_grad_();
    const torch::Tensor before = exact[2].to(torch::kFloat32);  // of a size that hides nothing of what is added
    master.mutable_grad() = before.clone();
    const HeadLoss got = head_loss_backward(hidden.to(dtype), {master, weight.to(dtype)}, targets, 3);
    const double unit = dtype == torch::kFloat32 ? 1e-5 : 1.0 / 256;
    EXPECT_LE(error(got.loss, exact[0]), 1.5 * error(plain[0], exact[0]) + unit);
    EXPECT_LE(error(got.hidden_gradient, exact[1]), 1.5 * error(plain[1], exact[1]) + unit);
    EXPECT_LE(error(master.grad() - before, exact[2]), 1.5 * error(plain[2], exact[2]) + unit);
  }
}

TEST(HeadLoss, EqualsPlainInPiecesAndWithTargetsThatDontCount) {
  const std::int64_t rows = head_loss_rows(50021, 4) + 3;  // two pieces, the second of a few rows
  for (const auto& [tokens, vocabulary] :
       std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 7}, {40, 33}, {rows, 50021}}) {
    torch::Tensor targets = torch::randint(0, vocabulary, {1, tokens}, torch::kInt64);
    if (tokens > 1) targets.index_put_({0, 1}, kNotScored);
    expect_head_loss_equals_plain(torch::randn({1, tokens, 6}, torch::kFloat64),
                                  torch::randn({vocabulary, 6}, torch::kFloat64), targets);
  }
}

TEST(HeadLoss, EqualsPlainInRandomSizes) {
  RandomSizes random(4);
  for (int i = 0; i < 20; ++i) {
    const std::int64_t batch = random.up_to(3), tokens = i == 0 ? 1 : random.odd_up_to(99);
    const std::int64_t hidden = random.odd_up_to(99), vocabulary = 1 + random.up_to(400);
    torch::Tensor targets = torch::randint(0, vocabulary, {batch, tokens}, torch::kInt64);
    if (targets.numel() > 1) targets.view({-1})[random.up_to(targets.numel()) - 1] = kNotScored;
    // Small enough states that the probabilities are of all sizes: else one token has all but nothing of it.
    expect_head_loss_equals_plain(torch::randn({batch, tokens, hidden}, torch::kFloat64) / std::sqrt(hidden),
                                  torch::randn({vocabulary, hidden}, torch::kFloat64), targets);
  }
}

}  // namespace
}  // namespace bench::model
