#include "model/generate.h"

#include "model/error.h"
#include "model/path.h"
#include "tests/model/tiny.h"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

namespace bench::model {
namespace {

using Rows = std::vector<std::vector<std::int64_t>>;

/// Of two prompts, and of different ones in all, shorter and longer than kManyTokens.
Rows some_prompts(std::size_t count, bool equal_lengths) {
  Rows prompts;
  for (std::size_t i = 0; i < count; ++i) {
    const std::int64_t length = equal_lengths ? 7 : static_cast<std::int64_t>(1 + 9 * i % 23);
    const torch::Tensor ids = tiny_ids(1, length, /*seed=*/i);
    prompts.emplace_back(ids.const_data_ptr<std::int64_t>(), ids.const_data_ptr<std::int64_t>() + length);
  }
  return prompts;
}

struct Way {
  torch::Dtype dtype;
  Quantization quantization;
  bool fused, use_cache;
};

class GenerateTogether : public testing::TestWithParam<Way> {};
INSTANTIATE_TEST_SUITE_P(Ways, GenerateTogether,
                         testing::Values(Way{torch::kFloat32, Quantization::kNone, true, true},
                                         Way{torch::kFloat32, Quantization::kNone, true, false},
                                         Way{torch::kFloat32, Quantization::kNone, false, true},
                                         Way{torch::kFloat32, Quantization::kNone, false, false},
                                         Way{torch::kBFloat16, Quantization::kNone, true, true},
                                         Way{torch::kFloat32, Quantization::kInt8, true, true},
                                         Way{torch::kBFloat16, Quantization::kInt8, true, true},
                                         Way{torch::kBFloat16, Quantization::kInt4, true, true},
                                         Way{torch::kHalf, Quantization::kInt8, true, true}));

// With hot sampling each token tells a small difference of the logits apart from none.
TEST_P(GenerateTogether, EachPromptGetsWhatItGetsAlone) {
  const Way way = GetParam();
  if (way.quantization == Quantization::kInt4 && path() == Path::kPortable) GTEST_SKIP() << "the native path's alone";
  LanguageModel model = tiny_model(tiny_config(), way.dtype);
  model->set_all_fused(way.fused);
  model->quantize(way.quantization);
  const SamplingConfig hot{.temperature = 2, .top_k = 0, .top_p = 1};
  const GenerateOptions options{.max_new_tokens = 16, .stop_at_eos = false, .use_cache = way.use_cache, .seed = 3};
  // More than kManyTokens rows that aren't quantised go through other products.
  for (const std::size_t batch : {std::size_t{3}, way.quantization == Quantization::kNone ? std::size_t{8} : 18})
    for (const bool equal : {true, false}) {
      const Rows prompts = some_prompts(batch, equal), together = generate(model, prompts, hot, options);
      for (std::size_t i = 0; i < batch; ++i)
        EXPECT_EQ(together[i], generate(model, {prompts[i]}, hot, options)[0]) << batch << " " << equal << " " << i;
    }
}

TEST(Generate, AnotherSeedGivesOtherTokens) {
  LanguageModel model = tiny_model();
  const GenerateOptions options{.max_new_tokens = 20, .stop_at_eos = false, .seed = 9};
  GenerateOptions other = options;
  other.seed = 10;
  EXPECT_NE(generate(model, {{5, 6, 7}}, {}, options), generate(model, {{5, 6, 7}}, {}, other));
}

/// Tokens of each row in the order of on_token, and the rows in the order of on_end.
struct Heard {
  std::map<std::int64_t, std::vector<std::int64_t>> tokens;
  std::vector<std::int64_t> ended;
  void listen(GenerateOptions& options) {
    options.on_token = [this](std::int64_t row, std::int64_t token) {
      tokens[row].push_back(token);
      return true;
    };
    options.on_end = [this](std::int64_t row) { ended.push_back(row); };
  }
};

TEST(Generate, EndsARowAtItsEndOfSequenceAndGoesOnWithTheOthers) {
  const SamplingConfig greedy{.do_sample = false, .repetition_penalty = 1};
  const Rows prompts{{5, 6, 7}, {1}, {2, 3}};
  ModelConfig config = tiny_config();
  const Rows free = generate(*std::make_unique<LanguageModel>(tiny_model()), prompts, greedy,
                             {.max_new_tokens = 12, .stop_at_eos = false});
  config.eos_token_id = free[1][3];  // which the second row says there at the latest
  LanguageModel model = tiny_model(config);
  GenerateOptions options{.max_new_tokens = 12};
  Heard heard;
  heard.listen(options);
  const Rows rows = generate(model, prompts, greedy, options);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto eos = std::ranges::find(free[i], config.eos_token_id);
    EXPECT_EQ(rows[i], std::vector<std::int64_t>(free[i].begin(), eos == free[i].end() ? eos : eos + 1)) << i;
    EXPECT_EQ(rows[i], heard.tokens[static_cast<std::int64_t>(i)]) << i;
  }
  EXPECT_LE(rows[1].size(), 4u);
  EXPECT_EQ(heard.ended.size(), 3u);
}

TEST(Generate, EndsARowAtAnyOfTheIdsAskedFor) {
  const SamplingConfig greedy{.do_sample = false, .repetition_penalty = 1};
  const Rows prompts{{5, 6, 7}, {1}, {2, 3}};
  LanguageModel model = tiny_model();
  const Rows free = generate(model, prompts, greedy, {.max_new_tokens = 12, .stop_at_eos = false});
  const std::vector<std::int64_t> ends{free[0][4], free[1][3], free[2][2]};
  const Rows rows = generate(model, prompts, greedy, {.max_new_tokens = 12, .end_ids = ends});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto end = std::find_first_of(free[i].begin(), free[i].end(), ends.begin(), ends.end());
    EXPECT_EQ(rows[i], std::vector<std::int64_t>(free[i].begin(), end + 1)) << i;
  }
  EXPECT_EQ(generate(model, prompts, greedy, {.max_new_tokens = 12, .end_ids = std::vector<std::int64_t>{}}), free);
}

TEST(Generate, ARowEndsAtMaxLengthWhateverTheOthersHave) {
  LanguageModel model = tiny_model();
  const Rows prompts{std::vector<std::int64_t>(50, 4), {1}, std::vector<std::int64_t>(63, 2)};
  GenerateOptions options{.max_new_tokens = 40, .max_length = 64, .stop_at_eos = false};
  Heard heard;
  heard.listen(options);
  const Rows rows = generate(model, prompts, {}, options);
  EXPECT_EQ(rows[0].size(), 14u);
  EXPECT_EQ(rows[1].size(), 40u);
  EXPECT_EQ(rows[2].size(), 1u);
  EXPECT_EQ(heard.ended, (std::vector<std::int64_t>{2, 0, 1}));
}

TEST(Generate, EndsOnRequest) {
  LanguageModel model = tiny_model();
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
  EXPECT_THROW(generate(model, {{1, 2}}, {}, {.max_new_tokens = 4, .max_length = 2}), InputError);
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

TEST(Sampler, RefusesWhatIsNoDistribution) {
  torch::Tensor logits = torch::zeros({5});
  logits[2] = NAN;
  EXPECT_THROW(Sampler({}, 1).next(logits, {}), InputError);
  EXPECT_THROW(Sampler({.do_sample = false}, 1).next(logits, {}), InputError);
  EXPECT_THROW(Sampler({.temperature = 1e-42}, 1).next(torch::arange(1, 6).to(torch::kFloat32), {}), InputError);
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
