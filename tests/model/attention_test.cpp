// tiled_attention against the formula: heads as large as the models', one and several query heads to a key head, and
// lengths on either side of a block of queries.
#include "model/attention.h"

#include "model/fused/attention.h"
#include "model/rope.h"
#include "tests/model/equals_plain.h"
#include "tests/model/random_sizes.h"

namespace bench::model {
namespace {

using Tiled = torch::Tensor (*)(const torch::Tensor&, const torch::Tensor&, const torch::Tensor&, const torch::Tensor&,
                                const torch::Tensor&, std::int64_t);

Operator attention_by(Tiled f, std::int64_t head_dim) {
  return [f, head_dim](const Tensors& in) {
    const std::int64_t tokens = in[0].size(1);
    Rope rope(head_dim, tokens, 10000.0);
    return f(in[0], in[1], in[2], rope->cos(tokens), rope->sin(tokens), head_dim);
  };
}

/// Rotation and the formula of attention.
Operator plain_attention(std::int64_t head_dim) {
  return [head_dim](const Tensors& in) {
    const std::int64_t batch = in[0].size(0), tokens = in[0].size(1);
    const auto split = [&](const torch::Tensor& x) { return x.view({batch, tokens, -1, head_dim}).transpose(1, 2); };
    const auto turn = [&](const torch::Tensor& x) {  // in the dtype at hand, so that fp64 stays that
      Rope rope(head_dim, tokens, 10000.0);
      const torch::Tensor cos = rope->cos(tokens).to(x.dtype()), sin = rope->sin(tokens).to(x.dtype());
      const auto halves = x.chunk(2, -1);
      return torch::cat({halves[0] * cos - halves[1] * sin, halves[1] * cos + halves[0] * sin}, -1);
    };
    const torch::Tensor y = causal_attention_plain(turn(split(in[0])), turn(split(in[1])), split(in[2]));
    return y.transpose(1, 2).reshape({batch, tokens, -1});
  };
}

struct Sizes {
  std::int64_t batch, tokens, heads, kv_heads, head_dim;
};

void expect_tiled_equals_plain(const Sizes& s) {
  const Tensors inputs{torch::randn({s.batch, s.tokens, s.heads * s.head_dim}),
                       torch::randn({s.batch, s.tokens, s.kv_heads * s.head_dim}),
                       torch::randn({s.batch, s.tokens, s.kv_heads * s.head_dim})};
  const Expected expected(plain_attention(s.head_dim), inputs);
  for (const auto f : {tiled_attention, tiled_attention_plain})
    expect_equal(attention_by(f, s.head_dim), expected,
                 fmt::format("{} x {}, {} heads, {} of keys, {} wide, {}", s.batch, s.tokens, s.heads, s.kv_heads,
                             s.head_dim, f == tiled_attention ? "kernels" : "plain"));
}

TEST(TiledAttention, EqualsPlainForwardAndBackward) {
  for (const Sizes& sizes : std::vector<Sizes>{{1, 1, 1, 1, 8},
                                               {2, 7, 4, 2, 8},
                                               {1, kQueryBlock, 2, 1, 8},
                                               {1, kQueryBlock + 1, 4, 4, 8},
                                               {2, 2 * kQueryBlock + 45, 6, 2, 8},
                                               {1, 4 * kQueryBlock + 1, 2, 1, 8}})  // in three parts by two threads
    expect_tiled_equals_plain(sizes);
}

class TiledAttentionHeads : public testing::TestWithParam<std::tuple<std::int64_t, std::int64_t>> {};
INSTANTIATE_TEST_SUITE_P(Sizes, TiledAttentionHeads, testing::Combine(testing::Values(32, 64), testing::Values(1, 4)),
                         [](const auto& sizes) {
                           return fmt::format("{}Wide{}ToAKey", std::get<0>(sizes.param), std::get<1>(sizes.param));
                         });

TEST_P(TiledAttentionHeads, EqualPlainAtEveryEdgeOfABlock) {
  const auto [head_dim, repeat] = GetParam();
  for (const std::int64_t tokens : {1, 2, 127, 128, 129, 300})
    expect_tiled_equals_plain({1, tokens, repeat == 1 ? 3 : 4, repeat == 1 ? 3 : 1, head_dim});
}

TEST(TiledAttention, EqualsPlainInRandomSizes) {
  RandomSizes random(3);
  for (int i = 0; i < 12; ++i) {
    const std::int64_t kv_heads = random.up_to(3);
    expect_tiled_equals_plain({random.up_to(3), i == 0 ? 1 : random.odd_up_to(199), kv_heads * random.up_to(5),
                               kv_heads, 2 * random.up_to(24)});
  }
}

}  // namespace
}  // namespace bench::model
