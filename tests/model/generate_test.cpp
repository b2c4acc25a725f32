#include "model/generate.h"

#include "model/error.h"
#include "tests/model/tiny.h"

#include <set>

#include <gtest/gtest.h>

namespace bench::model {
namespace {

using Rows = std::vector<std::vector<std::int64_t>>;

TEST(Generate, SameSeedSameTokensInAnyBatch) {
  LanguageModel model = tiny_model();
  const std::vector<std::int64_t> prompt{5, 6, 7};
  const GenerateOptions options{.max_new_tokens = 20, .stop_at_eos = false, .seed = 9};
  const Rows alone = generate(model, {prompt}, {}, options);
  const Rows together = generate(model, {{1, 2, 3}, prompt, {9, 9, 9}}, {}, options);
  EXPECT_EQ(alone[0], together[1]);
  GenerateOptions other = options;
  other.seed = 10;
  EXPECT_NE(alone[0], generate(model, {prompt}, {}, other)[0]);
}

TEST(Generate, PromptsOfDifferentLengthsGetWhatEachGetsAlone) {
  LanguageModel model = tiny_model();
  const Rows prompts{{5, 6, 7}, {1}, {2, 3, 4, 5, 6, 7, 8, 9}};
  for (const bool fused : {true, false})
    for (const bool use_cache : {true, false}) {
      model->set_all_fused(fused);
      const GenerateOptions options{.max_new_tokens = 12, .stop_at_eos = false, .use_cache = use_cache, .seed = 3};
      const Rows together = generate(model, prompts, {}, options);
      for (std::size_t i = 0; i < prompts.size(); ++i)
        EXPECT_EQ(together[i], generate(model, {prompts[i]}, {}, options)[0]) << fused << use_cache << i;
    }
}

TEST(Generate, StopsAtEndOfSequenceAndOnRequest) {
  LanguageModel model = tiny_model();
  SamplingConfig hot;
  hot.temperature = 5, hot.top_k = 0, hot.top_p = 1;
  const auto tokens = generate(model, {{5, 6, 7}}, hot, {.max_new_tokens = 60, .seed = 2})[0];
  const auto eos = std::find(tokens.begin(), tokens.end(), model->config().eos_token_id);
  EXPECT_TRUE(eos == tokens.end() || eos + 1 == tokens.end());
  GenerateOptions stop{.max_new_tokens = 60, .stop_at_eos = false};
  int calls = 0;
  stop.on_token = [&](std::int64_t, std::int64_t) { return ++calls < 5; };
  EXPECT_EQ(generate(model, {{5, 6, 7}}, {}, stop)[0].size(), 5u);
}

TEST(Generate, BadPromptsAreErrors) {
  LanguageModel model = tiny_model();
  const auto with = [&](const Rows& prompts, std::int64_t new_tokens) {
    try {
      generate(model, prompts, {}, {.max_new_tokens = new_tokens});
    } catch (const InputError& e) {
      return e.what_is_wrong;
    }
    return std::string("no error");
  };
  EXPECT_EQ(with({{}}, 4), "has no tokens");
  EXPECT_EQ(with({}, 4), "is missing");
  EXPECT_EQ(with({{1}, {}}, 4), "has no tokens");
  EXPECT_EQ(with({{96}}, 4), "token 96 is outside the vocabulary of 96");
  EXPECT_EQ(with({{-1}}, 4), "token -1 is outside the vocabulary of 96");
  EXPECT_EQ(with({std::vector<std::int64_t>(60, 1)}, 5),
            "60 prompt tokens and 5 new ones exceed the model's max_seq_length 64");
}

TEST(Sampler, DrawsFollowTheDistribution) {
  const torch::Tensor logits = torch::log(torch::tensor({0.5f, 0.3f, 0.2f}));
  Sampler sampler({.temperature = 1, .top_k = 0, .top_p = 1, .repetition_penalty = 1}, 4);
  std::array<int, 3> counts{};
  for (int i = 0; i < 6000; ++i) ++counts[static_cast<std::size_t>(sampler.next(logits, {}))];
  EXPECT_NEAR(counts[0] / 6000.0, 0.5, 0.03);
  EXPECT_NEAR(counts[1] / 6000.0, 0.3, 0.03);
  EXPECT_NEAR(counts[2] / 6000.0, 0.2, 0.03);
}

TEST(Sampler, TopKOfOneAndTinyTopPAreGreedy) {
  const torch::Tensor logits = torch::randn({50});
  const auto best = logits.argmax().item<std::int64_t>();
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    EXPECT_EQ(Sampler({.top_k = 1}, seed).next(logits, {}), best);
    EXPECT_EQ(Sampler({.top_k = 0, .top_p = 1e-6}, seed).next(logits, {}), best);
  }
}

}  // namespace
}  // namespace bench::model
