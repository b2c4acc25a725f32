// tiled_attention against the formula: heads as large as the models', one and several query heads to a key head, and
// lengths on either side of a block of queries.
#include "model/attention.h"

#include "model/fused/attention.h"
#include "model/rope.h"
#include "tests/kept_threads.h"
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

/// q, k and v.
Tensors random_inputs(const Sizes& s) {
  const auto of = [&](std::int64_t heads) { return torch::randn({s.batch, s.tokens, heads * s.head_dim}); };
  return {of(s.heads), of(s.kv_heads), of(s.kv_heads)};
}

void expect_tiled_equals_plain(const Sizes& s) {
  const Tensors inputs = random_inputs(s);
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

TEST(TiledAttention, BlocksOfDevicesAreAsLargeAsTheirScoresMayBe) {
  EXPECT_EQ(tiled_query_block(1, 16, 2048), 512);
  EXPECT_EQ(tiled_query_block(4, 16, 2048), 512);
  EXPECT_EQ(tiled_query_block(8, 16, 2048), 256);
  EXPECT_EQ(tiled_query_block(64, 16, 2048), kQueryBlock);
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

/// Whole sequences of s.tokens, read in pieces of which each finds those before in a cache with room for more.
torch::Tensor attention_in_pieces(const Tensors& in, const Sizes& s, const std::vector<std::int64_t>& pieces) {
  Rope rope(s.head_dim, s.tokens, 10000.0);
  const torch::Tensor all_keys = torch::full({s.batch, s.kv_heads, s.tokens + 3, s.head_dim}, 77, in[0].options()),
                      all_values = all_keys.clone();
  std::vector<torch::Tensor> results;
  std::int64_t past = 0;
  for (const std::int64_t tokens : pieces) {
    const auto piece = [&](const torch::Tensor& x) { return x.narrow(1, past, tokens); };
    results.push_back(tiled_attention_with_cache(piece(in[0]), piece(in[1]), piece(in[2]), rope->cos(tokens, past),
                                                 rope->sin(tokens, past), all_keys.narrow(2, 0, past + tokens),
                                                 all_values.narrow(2, 0, past + tokens)));
    past += tokens;
    for (const auto& cache : {all_keys, all_values})
      EXPECT_TRUE(cache.narrow(2, past, s.tokens + 3 - past).eq(77).all().item<bool>()) << "wrote behind " << past;
  }
  return torch::cat(results, 1);
}

TEST(TiledAttention, BehindACacheEqualsPlain) {
  const std::vector<std::pair<Sizes, std::vector<std::int64_t>>> cases{{{2, 7, 4, 2, 8}, {7}},
                                                                       {{2, 7, 4, 2, 8}, {3, 1, 3}},
                                                                       {{1, 300, 4, 4, 32}, {129, 1, 128, 42}},
                                                                       {{2, 431, 6, 2, 64}, {300, 131}},
                                                                       {{1, 640, 4, 1, 16}, {15, 500, 125}}};
  for (const auto& [s, pieces] : cases) {
    const Tensors inputs = random_inputs(s);
    const Expected expected(plain_attention(s.head_dim), inputs);
    const torch::Tensor& exact = expected.exact[0];
    EXPECT_LE(error(attention_in_pieces(inputs, s, pieces), exact), 1e-5) << s.tokens;
    const Tensors narrow{inputs[0].to(torch::kBFloat16), inputs[1].to(torch::kBFloat16),
                         inputs[2].to(torch::kBFloat16)};
    for (const bool products : {false, true}) {
      const AssumedBf16Products assumed(products);
      expect_good_bf16(attention_in_pieces(narrow, s, pieces), expected.bf16[0], exact,
                       fmt::format("{} tokens, {}", s.tokens, products ? "bf16 products" : "widened"));
    }
  }
}

TEST(TiledAttention, RefusesACacheThatDoesNotFit) {
  Rope rope(8, 20, 10000.0);
  const torch::Tensor q = torch::randn({2, 5, 32}), k = torch::randn({2, 5, 16}), cache = torch::zeros({2, 2, 9, 8}),
                      turn = rope->cos(5, 4), bf16 = k.to(torch::kBFloat16);
  EXPECT_NO_THROW(tiled_attention_with_cache(q, k, k, turn, turn, cache, cache));
  const auto refuses = [&](const torch::Tensor& queries, const torch::Tensor& new_values, const torch::Tensor& sin,
                           const torch::Tensor& values) {
    EXPECT_THROW(tiled_attention_with_cache(queries, k, new_values, turn, sin, cache, values), c10::Error);
  };
  refuses(q, bf16, turn, cache);  // dtypes
  refuses(q, k, turn, cache.to(torch::kBFloat16));
  refuses(q.narrow(0, 0, 1), k, turn, cache);                       // another batch
  refuses(q.repeat({1, 2, 1}), k, turn, cache);                     // more queries than the cache has room for
  refuses(q.narrow(2, 0, 24), k, turn, cache);                      // three heads for two of keys
  refuses(q, k.narrow(2, 0, 8), turn, cache);                       // one value head
  refuses(q, k, rope->sin(4, 4), cache);                            // rotation of fewer positions
  refuses(q, k, turn, torch::zeros({2, 2, 8, 9}).transpose(2, 3));  // positions that lie apart
  refuses(q, k, turn, torch::zeros({2, 2, 10, 8}));                 // another length than the keys
}

TEST(TiledAttention, EqualsPlainByAnyNumberOfThreads) {
  const KeptThreads kept;
  for (const int threads : {1, 3, 7, 32}) {
    at::set_num_threads(threads);
    for (const std::int64_t tokens : {1, 33, 150, 520}) {
      const Sizes s{1, tokens, 4, 2, 8};
      expect_tiled_equals_plain(s);
      const Tensors inputs = random_inputs(s);
      const Expected expected(plain_attention(8), inputs);
      EXPECT_LE(error(attention_in_pieces(inputs, s, {tokens}), expected.exact[0]), 1e-5) << threads << " threads";
    }
  }
}

}  // namespace
}  // namespace bench::model
