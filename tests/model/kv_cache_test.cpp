#include "model/kv_cache.h"

#include "model/fused/rows.h"
#include "model/kernels/cached_attention.h"
#include "tests/model/instruction_sets.h"
#include "tests/model/tiny.h"

#include <cmath>

#include <gtest/gtest.h>

namespace bench::model {
namespace {

class KvCacheTest : public testing::TestWithParam<torch::Dtype> {
 protected:
  /// bf16 keeps 8 bits, and the kernels for one query and for many add up in another order.
  double tolerance() const { return GetParam() == torch::kBFloat16 ? 0.08 : 1e-4; }
  LanguageModel model_ = tiny_model(tiny_config(), GetParam());
};
INSTANTIATE_TEST_SUITE_P(Dtypes, KvCacheTest, testing::Values(torch::kFloat32, torch::kBFloat16),
                         [](const auto& dtype) { return std::string(toString(dtype.param)); });

TEST_P(KvCacheTest, DecodeStepsEqualTheFullForward) {
  const torch::NoGradGuard no_grad;
  model_->eval();
  const torch::Tensor ids = tiny_ids(3, 24);
  const torch::Tensor full = model_(ids).to(torch::kFloat32);
  for (const std::int64_t prompt : {1, 5, 23}) {
    KvCache cache = model_->make_cache(3, 24);
    torch::Tensor logits = model_->next_logits(ids.slice(1, 0, prompt), cache);
    for (std::int64_t t = prompt; t <= 24; ++t) {
      EXPECT_LE(largest(logits.to(torch::kFloat32) - full.select(1, t - 1)), tolerance()) << prompt << " " << t;
      if (t < 24) logits = model_->next_logits(ids.slice(1, t, t + 1), cache);
    }
    EXPECT_EQ(cache.length(), 24);
  }
}

TEST_P(KvCacheTest, PrefillInPiecesEqualsPrefillAtOnce) {
  const torch::NoGradGuard no_grad;
  model_->eval();
  const torch::Tensor ids = tiny_ids(2, 20);
  KvCache whole = model_->make_cache(2, 20), pieces = model_->make_cache(2, 20);
  const torch::Tensor expected = model_->next_logits(ids, whole);
  model_->next_logits(ids.slice(1, 0, 7), pieces);
  model_->next_logits(ids.slice(1, 7, 8), pieces);
  const torch::Tensor logits = model_->next_logits(ids.slice(1, 8), pieces);
  EXPECT_LE(largest((logits - expected).to(torch::kFloat32)), tolerance());
}

TEST_P(KvCacheTest, OneTokenInAnyCompanyGetsTheSameBits) {
  const torch::NoGradGuard no_grad;
  model_->eval();
  const torch::Tensor ids = tiny_ids(3, 12);
  const auto filled = [&] {
    KvCache cache = model_->make_cache(3, 16);
    for (const std::int64_t row : {0, 1, 2}) {  // lengths 3, 7, 11
      KvCache one = cache.row(row);
      model_->next_logits(ids.slice(0, row, row + 1).slice(1, 0, 3 + 4 * row), one);
    }
    return cache;
  };
  KvCache together = filled();
  EXPECT_FALSE(together.same_lengths());
  EXPECT_EQ(together.length(1), 7);
  const torch::Tensor next = ids.slice(1, 11, 12), logits = model_->next_logits(next, together);
  for (const std::int64_t row : {0, 1, 2}) {
    KvCache alone = model_->make_cache(1, 16);
    model_->next_logits(ids.slice(0, row, row + 1).slice(1, 0, 3 + 4 * row), alone);
    EXPECT_TRUE(torch::equal(model_->next_logits(next.slice(0, row, row + 1), alone)[0], logits[row])) << row;
  }
  model_->set_all_fused(false);  // the plain formulas, one sequence after the other
  KvCache plain = filled();
  EXPECT_LE(largest(model_->next_logits(next, plain).to(torch::kFloat32) - logits), tolerance());
  for (const std::int64_t row : {0, 1, 2}) EXPECT_EQ(plain.length(row), 4 + 4 * row);
}

TEST(KvCache, AttentionOfOneTokenEqualsTheFormulaForAnyNumberOfHeads) {
  on_every_instruction_set([] {
    for (const torch::Dtype dtype : {torch::kFloat32, torch::kBFloat16})
      for (const std::int64_t heads : {1, 2, 3, 4, 7})
        for (const std::int64_t dim : {6, 20, 64, 80})
          for (const std::int64_t tokens : {1, 4, 7, 130}) {
            const torch::Tensor q = torch::randn({heads, dim}), scores = torch::empty({heads, tokens});
            const torch::Tensor keys = torch::randn({tokens, dim}).to(dtype),
                                values = torch::randn({tokens, dim}).to(dtype);
            const torch::Tensor y = torch::empty({heads, dim});
            cached_attention(element_of(keys), q.const_data_ptr<float>(), heads, keys.const_data_ptr(),
                             values.const_data_ptr(), tokens, dim, scores.mutable_data_ptr<float>(),
                             y.mutable_data_ptr<float>());
            const torch::Tensor weights =
                torch::softmax(q.matmul(keys.to(torch::kFloat32).t()) / std::sqrt(static_cast<double>(dim)), -1);
            EXPECT_LE(largest(y - weights.matmul(values.to(torch::kFloat32))), 1e-5)
                << dtype << " " << heads << " " << dim << " " << tokens;
          }
  });
}

TEST(KvCache, ClearForgetsWithoutAllocating) {
  const torch::NoGradGuard no_grad;
  LanguageModel model = tiny_model();
  model->eval();
  const torch::Tensor ids = tiny_ids(1, 10);
  KvCache cache = model->make_cache(1, 10);
  const torch::Tensor first = model->next_logits(ids, cache);
  cache.clear();
  EXPECT_EQ(cache.length(), 0);
  EXPECT_TRUE(torch::equal(model->next_logits(ids, cache), first));
  EXPECT_EQ(cache.bytes(), 2 * 3 * 1 * 2 * 10 * 8 * 4);  // k and v, layers, batch, kv heads, capacity, head_dim, fp32
}

TEST(KvCache, OverflowIsCaught) {
  LanguageModel model = tiny_model();
  const torch::NoGradGuard no_grad;
  KvCache cache = model->make_cache(1, 4);
  EXPECT_THROW(model->next_logits(tiny_ids(1, 5), cache), c10::Error);
}

}  // namespace
}  // namespace bench::model
