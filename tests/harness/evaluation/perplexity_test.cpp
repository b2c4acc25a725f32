#include "harness/evaluation/perplexity.h"

#include "harness/cases/perplexity.h"
#include "harness/checkpoints/checkpoints.h"
#include "harness/core/error.h"
#include "harness/judging/gate.h"
#include "model/loss.h"
#include "tests/harness/cases/recorded.h"
#include "tests/model/tiny.h"
#include "tests/temporary_folder.h"

#include <cmath>

#include <gtest/gtest.h>
#include <sentencepiece_trainer.h>

namespace bench::harness {
namespace {

using model::tiny_ids;
using model::tiny_model;

/// Tokens of which the one at i stands for 1 + i % 5 bytes.
TokenStream stream(std::int64_t tokens) {
  TokenStream stream{tiny_ids(1, tokens, 3)[0].to(torch::kInt32), "test"};
  stream.text = TextBytes{torch::arange(tokens, torch::kInt32).remainder(5) + 1, 1, 0};
  return stream;
}

/// The nll of token t given tokens begin .. t - 1, by a forward pass of exactly those.
double nll_of(model::LanguageModel& model, const TokenStream& tokens, std::int64_t begin, std::int64_t t) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor past = tokens.ids.slice(0, begin, t).to(torch::kInt64).unsqueeze(0);
  const torch::Tensor logits = model(past)[0][-1].to(torch::kFloat64);
  return (torch::logsumexp(logits, 0) - logits[tokens.ids[t].item<std::int64_t>()]).item<double>();
}

TEST(Perplexity, DisjointScoresAllButTheFirstOfEachWindow) {
  model::LanguageModel model = tiny_model();
  model->eval();
  const TokenStream tokens = stream(23);
  double expected = 0, bytes = 0;
  for (const auto& [begin, end] : std::vector<std::pair<std::int64_t, std::int64_t>>{{0, 10}, {10, 20}, {20, 23}})
    for (std::int64_t t = begin + 1; t < end; ++t) {
      expected += nll_of(model, tokens, begin, t);
      bytes += static_cast<double>(1 + t % 5);
    }
  const PerplexityResult result = measure_perplexity(model, tokens, {.protocol = "disjoint", .context = 10});
  EXPECT_EQ(result.scored_tokens, 9 + 9 + 2);
  EXPECT_NEAR(result.nll_nats, expected, 1e-4);
  EXPECT_NEAR(result.perplexity(), std::exp(expected / 20), 1e-3);
  EXPECT_EQ(result.text_bytes, bytes);  // of the scored tokens alone
  EXPECT_NEAR(result.bits_per_byte(), expected / std::log(2.0) / bytes, 1e-5);
}

TEST(Perplexity, StridedScoresEveryTokenButTheFirstOnceInTheFirstWindowThatHoldsIt) {
  model::LanguageModel model = tiny_model();
  model->eval();
  const TokenStream tokens = stream(27);
  double expected = 0;
  for (std::int64_t t = 1; t < 27; ++t) {
    const std::int64_t begin = t < 12 ? 0 : (t - 12) / 5 * 5 + 5;  // context 12, stride 5
    expected += nll_of(model, tokens, begin, t);
  }
  const PerplexityResult result =
      measure_perplexity(model, tokens, {.protocol = "strided", .context = 12, .stride = 5});
  EXPECT_EQ(result.scored_tokens, 26);
  EXPECT_NEAR(result.nll_nats, expected, 1e-4);
}

TEST(Perplexity, WindowsCoverEveryTokenOnceForAllSizes) {
  for (std::int64_t tokens = 2; tokens < 40; ++tokens)
    for (const std::int64_t context : {2, 3, 7, 39, 64})
      for (const std::int64_t stride : {std::int64_t{1}, context / 2, context - 1}) {
        if (stride < 1) continue;
        std::int64_t next = 1;
        for (const auto& window : windows_of(tokens, {.protocol = "strided", .context = context, .stride = stride})) {
          EXPECT_EQ(window.first_scored, next);
          EXPECT_LT(window.begin, window.first_scored);
          EXPECT_LE(window.end - window.begin, context);
          next = window.end;
        }
        EXPECT_EQ(next, tokens);
      }
}

TEST(Perplexity, UniformModelHasThePerplexityOfItsVocabulary) {
  model::LanguageModel model = tiny_model();
  for (auto& p : model->parameters()) {
    const torch::NoGradGuard no_grad;
    p.zero_();
  }
  EXPECT_NEAR(measure_perplexity(model, stream(50), {.context = 16}).perplexity(), 96, 1e-3);
}

TEST(Perplexity, PairedDifferenceIsNarrowWhereTheModelsMoveTogether) {
  PerplexityResult a, b;
  for (int i = 0; i < 40; ++i) {
    const double hardness = 100 + 60 * std::sin(i);
    a.window_nll_nats.push_back(hardness), b.window_nll_nats.push_back(hardness + 1 + 0.05 * (i % 2));
    a.window_tokens.push_back(10), b.window_tokens.push_back(10);
    a.nll_nats += a.window_nll_nats.back(), b.nll_nats += b.window_nll_nats.back();
    a.scored_tokens += 10, b.scored_tokens += 10;
  }
  const Estimate d = paired_difference(a, b);
  EXPECT_NEAR(d.value, 0.1025, 1e-9);
  EXPECT_LT(d.low, d.value);
  EXPECT_LT(d.high - d.low, 0.003);
  EXPECT_EQ(paired_difference(a, a).high, 0);
  b.window_tokens.pop_back();
  EXPECT_THROW(paired_difference(a, b), Error);
}

TEST(Perplexity, ABeginIsGivenAndNotScored) {
  model::LanguageModel model = tiny_model();
  model->eval();
  TokenStream tokens = stream(27);
  for (const std::int64_t at : {0, 6, 7, 20}) tokens.ids[at] = 95;
  tokens.begin_id = 95;
  double expected = 0, bytes = 0;
  std::int64_t scored = 0;
  for (std::int64_t t = 1; t < 27; ++t) {
    if (tokens.ids[t].item<int>() == 95) continue;
    expected += nll_of(model, tokens, t < 12 ? 0 : (t - 12) / 5 * 5 + 5, t);
    bytes += static_cast<double>(1 + t % 5);
    ++scored;
  }
  const PerplexityResult result =
      measure_perplexity(model, tokens, {.protocol = "strided", .context = 12, .stride = 5});
  EXPECT_EQ(result.scored_tokens, scored);
  EXPECT_EQ(result.text_bytes, bytes);
  EXPECT_NEAR(result.nll_nats, expected, 1e-4);
}

TEST(Perplexity, OneWindowHasNoInterval) {
  PerplexityResult a, b;
  a.window_nll_nats = {10}, b.window_nll_nats = {12};
  a.window_tokens = b.window_tokens = {4};
  a.nll_nats = 10, b.nll_nats = 12;
  a.scored_tokens = b.scored_tokens = 4;
  const Estimate d = paired_difference(a, b);
  EXPECT_EQ(d.value, 0.5);
  EXPECT_EQ(d.n, 1);
  EXPECT_FALSE(d.has_interval());
}

TEST(Perplexity, TheFirstWindowThatIsNoNumberIsKnown) {
  PerplexityResult result;
  result.window_nll_nats = {1, 2, INFINITY, NAN};
  EXPECT_EQ(result.first_bad_window(), 2u);
  result.window_nll_nats.resize(2);
  EXPECT_FALSE(result.first_bad_window());
}

/// A perplexity case that scored so many windows of 10 tokens, its perplexity being `e`.
GateResult judged(std::size_t windows, const std::string& gate_text, double nats_per_token = 1) {
  Record record;
  record.type = "perplexity";
  for (std::size_t i = 0; i < windows; ++i) {
    record.add("window_nll_nats", "nats", 10 * nats_per_token);
    record.add("window_tokens", "tokens", 10);
    record.facts["nll_nats"] += 10 * nats_per_token;
    record.facts["scored_tokens"] += 10;
    record.facts["text_bytes"] += 40;
  }
  return judge(read_config<GateConfig>(YamlNode::parse(gate_text, "gate")), {record}, "");
}

TEST(PerplexityGate, FewerWindowsThanAnIntervalNeedsAreNotJudged) {
  for (const std::string gate :
       {"{metric: perplexity, at_most: 3, unit: '1'}", "{metric: perplexity, at_most: 2, unit: '1'}",
        "{metric: bits_per_byte, at_most: 1, unit: bits/byte}"}) {
    for (const std::size_t windows : {1, 2, 5}) {
      const GateResult few = judged(windows, gate);
      EXPECT_EQ(few.verdict, Verdict::kNotJudged) << gate;
      EXPECT_NE(few.reason.find(std::to_string(windows) + " of the 6 windows that an interval needs"),
                std::string::npos)
          << few.reason;
    }
    EXPECT_NE(judged(6, gate).verdict, Verdict::kNotJudged) << gate;
  }
  EXPECT_EQ(judged(6, "{metric: perplexity, at_most: 3, unit: '1'}").verdict, Verdict::kPass);
  EXPECT_EQ(judged(1, "{metric: perplexity, at_most: 3, unit: '1'}", NAN).verdict, Verdict::kFail);
}

TEST(PerplexityCase, ATextThatIsNotReadIsNoInput) {
  const tests::TemporaryFolder folder;
  const std::string checkpoint = (folder.path() / "final").string(),
                    text = folder.write("valid.txt", "unread").string();
  write_checkpoint(tiny_model(), checkpoint, torch::kFloat32, /*tokenizer=*/nullptr);
  PerplexityConfig config;
  config.source.checkpoint = checkpoint;
  config.text = text;
  config.fallback = "synthetic";
  config.context = 16;
  config.max_tokens = 64;
  Context context{"perplexity", find_device("cpu", "test"), 100, {}};
  const Record record = tests::recorded(run_perplexity, config, context);
  EXPECT_GT(record.fact("scored_tokens"), 0);
  EXPECT_FALSE(record.inputs.contains(text));
}

TEST(PerplexityCase, TokensOfAFileAreScoredAndTimedButForTheFirstWindow) {
  const tests::TemporaryFolder folder;
  PerplexityConfig config;
  config.source.checkpoint = (folder.path() / "final").string();
  write_checkpoint(tiny_model(), config.source.checkpoint, torch::kFloat32, /*tokenizer=*/nullptr);
  std::string ids;
  for (int i = 0; i < 40; ++i) ids += {static_cast<char>(i), 0};  // uint16: windows of 16, 16 and 8 tokens
  config.tokens = folder.write("ids.bin", ids).string();
  config.tokens_dtype = "uint16";
  config.context = 16;
  Context context{"perplexity", find_device("cpu", "test"), 100, {}};
  Record record = tests::recorded(run_perplexity, config, context);
  EXPECT_TRUE(record.inputs.contains(config.tokens));
  EXPECT_EQ(record.samples("window_tokens"), (std::vector<double>{15, 15, 7}));
  EXPECT_EQ(record.samples("window_time_s").size(), 2u);
  EXPECT_EQ(record.samples("cold_window_time_s").size(), 1u);
  const Metric& speed = *find_metric("scored_tokens_per_s");
  record.series["window_time_s"].samples = {3, 1};
  EXPECT_DOUBLE_EQ(speed.of(record)->value, 22.0 / 4);  // all tokens over all time, the cold window's left out
  record.series.erase("window_time_s");
  EXPECT_FALSE(speed.of(record));  // a report of before
}

TEST(PerplexityCase, KeysOfATextAreRefusedBesideTokens) {
  const auto error_of = [](const std::string& keys) {
    try {
      read_config<PerplexityConfig>(YamlNode::parse("{checkpoint: c, " + keys + "}", "case"));
    } catch (const Error& e) {
      return e.message();
    }
    return std::string();
  };
  EXPECT_EQ(error_of("tokens: t.bin, tokens_dtype: int64"), "");
  EXPECT_EQ(error_of("tokens: t.bin, text: a.txt"), "text: and tokens are both given");
  EXPECT_EQ(error_of("tokens: t.bin, fallback: synthetic"), "fallback: is for a text");
  EXPECT_EQ(error_of("tokens: t.bin, allow_lossy: true"), "allow_lossy: is for a text");
  EXPECT_EQ(error_of("tokens_dtype: int64"), "tokens_dtype: is for tokens");
}

TEST(PerplexityCase, BitsPerByteOfATextThatTheTokenizerChangesOnlyWhenAsked) {
  const tests::TemporaryFolder folder;
  std::string text;
  for (int i = 0; i < 40; ++i) text += "모든 국민은 법 앞에  평등하다 " + std::to_string(i) + "\n";  // two spaces
  PerplexityConfig config;
  config.text = folder.write("valid.txt", text).string();
  config.context = 16;
  config.source.checkpoint = (folder.path() / "final").string();
  ASSERT_TRUE(sentencepiece::SentencePieceTrainer::Train({{"input", config.text},
                                                          {"model_prefix", (folder.path() / "t").string()},
                                                          {"vocab_size", "50"},
                                                          {"model_type", "bpe"},
                                                          {"minloglevel", "2"}})
                  .ok());
  const Tokenizer tokenizer(folder.path() / "t.model");
  write_checkpoint(tiny_model(), config.source.checkpoint, torch::kFloat32, &tokenizer);
  Context context{"perplexity", find_device("cpu", "test"), 100, {}};
  const Record without = tests::recorded(run_perplexity, config, context);
  EXPECT_FALSE(without.facts.contains("text_bytes"));
  EXPECT_EQ(without.notes.at("lossy").rfind("the tokenizer changes 40 of 40 paragraphs (100 %)", 0), 0u)
      << without.notes.at("lossy");
  EXPECT_EQ(without.notes.at("tokenizer"), "texts begin without a bos token (add_bos_token in tokenizer_config.json)");
  config.add_bos = true;
  EXPECT_NE(tests::recorded(run_perplexity, config, context).notes.at("tokenizer"), without.notes.at("tokenizer"));
  config.allow_lossy = true;
  EXPECT_GT(tests::recorded(run_perplexity, config, context).fact("text_bytes"),
            0.8 * static_cast<double>(text.size()));
}

TEST(Perplexity, BadOptionsAreErrors) {
  model::LanguageModel model = tiny_model();
  EXPECT_THROW(measure_perplexity(model, stream(9), {.protocol = "sliding"}), Error);
  EXPECT_THROW(measure_perplexity(model, stream(9), {.context = 65}), Error);
  EXPECT_THROW(measure_perplexity(model, stream(9), {.context = 1}), Error);
  EXPECT_THROW(measure_perplexity(model, stream(9), {.protocol = "strided", .context = 8, .stride = 8}), Error);
  EXPECT_THROW(measure_perplexity(model, stream(1), {.context = 8}), Error);
}

}  // namespace
}  // namespace bench::harness
