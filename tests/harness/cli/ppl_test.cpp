#include "harness/core/hash.h"
#include "tests/harness/cli/checkpoint.h"

#include <sentencepiece_trainer.h>

namespace bench::harness {
namespace {

namespace fs = std::filesystem;

/// Lists a checkpoint's files anew, after it was changed on purpose.
void list_anew(const fs::path& checkpoint) {
  std::string lines;
  for (const auto& entry : fs::directory_iterator(checkpoint))
    if (const std::string name = entry.path().filename().string(); name != "checksums.xxh128")
      lines += xxh128_file(entry.path()) + "  " + name + "\n";
  write_file_atomically(checkpoint / "checksums.xxh128", lines);
}

/// A checkpoint as a/final and raw int32 ids of its vocabulary as ids.bin.
class PplTest : public CheckpointTest {
 protected:
  void SetUp() override {
    ASSERT_EQ(train("a", "--max-steps 2").exit_code, 0);
    std::string ids;
    for (int i = 0; i < 100; ++i) ids += std::string{static_cast<char>(i * i % 64), 0, 0, 0};
    folder_.write("ids.bin", ids);
  }
};

TEST_F(PplTest, OneWindowHasNoInterval) {
  ASSERT_EQ(train("b", "--max-steps 5").exit_code, 0);
  std::string ids;
  for (int i = 0; i < 32; ++i) ids += std::string{static_cast<char>(i), 0, 0, 0};
  folder_.write("short.bin", ids);
  const Outcome one = here("ppl a/final b/final --tokens short.bin --context 32 --json out.json --device cpu");
  EXPECT_EQ(one.exit_code, 0) << one.text;
  EXPECT_TRUE(contains(one.text, "one window has no interval")) << one.text;
  EXPECT_FALSE(contains(one.text, "95 % interval")) << one.text;
  const Json difference = Json::parse(read_file(folder_.path() / "out.json"))["differences"][0];
  EXPECT_TRUE(difference["low"].is_null() && difference["high"].is_null()) << difference;
  EXPECT_EQ(difference["windows"], 1);
  const Outcome two = here("ppl a/final b/final --tokens short.bin --context 16 --device cpu");
  EXPECT_TRUE(contains(two.text, "95 % interval")) << two.text;
}

TEST_F(PplTest, WhatIsNoNumberFailsAndNamesItsWindow) {
  const fs::path weights = folder_.path() / "a/final/model.safetensors";
  std::string bytes = read_file(weights);
  bytes.replace(bytes.size() - 4, 4, std::string("\0\0\xc0\x7f", 4));  // of the last norm: all logits become NaN
  write_file_atomically(weights, bytes);
  list_anew(weights.parent_path());
  const Outcome outcome = here("ppl a/final --tokens ids.bin --context 32 --json out.json --device cpu");
  EXPECT_EQ(outcome.exit_code, 1) << outcome.text;
  EXPECT_TRUE(contains(outcome.text, "window 1 of 4 (tokens 0 .. 31) is the first whose loss is nan")) << outcome.text;
  const Json result = Json::parse(read_file(folder_.path() / "out.json"))["results"][0];
  EXPECT_TRUE(result["perplexity"].is_null() && result["window_nll_nats"][0].is_null()) << result;
}

TEST_F(PplTest, AFlippedSignIsFoundBehindAnEmptyOrMissingList) {
  const fs::path checkpoint = folder_.path() / "a/final";
  std::string bytes = read_file(checkpoint / "model.safetensors");
  bytes.back() = static_cast<char>(bytes.back() ^ 0x80);
  write_file_atomically(checkpoint / "model.safetensors", bytes);
  write_file_atomically(checkpoint / "checksums.xxh128", "");
  const Outcome empty = here("ppl a/final --tokens ids.bin --context 32 --device cpu");
  EXPECT_EQ(empty.exit_code, 2);
  EXPECT_TRUE(contains(empty.text, "checksums.xxh128: does not list")) << empty.text;
  fs::remove(checkpoint / "checksums.xxh128");
  const Outcome missing = here("ppl a/final --tokens ids.bin --context 32 --device cpu");
  EXPECT_EQ(missing.exit_code, 2);
  EXPECT_TRUE(contains(missing.text, "checksums.xxh128: is missing")) << missing.text;
}

TEST_F(PplTest, TokensOfOtherDtypesAreToldApart) {
  std::string wide, narrow;
  for (int i = 0; i < 100; ++i) {
    const char id = static_cast<char>(i * i % 64);
    wide += std::string{id, 0, 0, 0, 0, 0, 0, 0};
    narrow += std::string{id, 0};
  }
  folder_.write("wide.bin", wide), folder_.write("narrow.bin", narrow);
  const auto perplexity = [&](const std::string& tokens) {
    const Outcome outcome = here("ppl a/final --tokens " + tokens + " --context 32 --json out.json --device cpu");
    EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
    return Json::parse(read_file(folder_.path() / "out.json"))["results"][0]["perplexity"].get<double>();
  };
  const double expected = perplexity("ids.bin");
  EXPECT_EQ(perplexity("wide.bin --tokens-dtype int64"), expected);
  EXPECT_EQ(perplexity("narrow.bin --tokens-dtype uint16"), expected);
  const Outcome guessed = here("ppl a/final --tokens wide.bin --context 32");
  EXPECT_EQ(guessed.exit_code, 2);
  EXPECT_TRUE(contains(guessed.text, "hint: --tokens-dtype int64")) << guessed.text;
  EXPECT_TRUE(contains(here("ppl a/final --tokens narrow.bin --context 32").text, "hint: --tokens-dtype uint16"));
}

class TextPplTest : public TextCheckpointTest {
 protected:
  /// b: the same weights with a tokenizer that changes the text; no checkpoint of ours any more.
  void make_lossy() {
    fs::copy(folder_.path() / "a/final", folder_.path() / "b");
    for (const char* name : {"checksums.xxh128", "training_state.json", "training_state.safetensors"})
      fs::remove(folder_.path() / "b" / name);
    Json config = Json::parse(read_file(folder_.path() / "b/config.json"));
    config.erase("checksums");
    write_file_atomically(folder_.path() / "b/config.json", config.dump());
    ASSERT_TRUE(sentencepiece::SentencePieceTrainer::Train({{"input", (folder_.path() / "t.txt").string()},
                                                            {"model_prefix", (folder_.path() / "b/tokenizer").string()},
                                                            {"vocab_size", "60"},
                                                            {"model_type", "bpe"},
                                                            {"minloglevel", "2"}})
                    .ok());
  }
};

TEST_F(TextPplTest, BitsPerByteOfAChangedTextAreComparedOnlyWhenAsked) {
  make_lossy();
  folder_.write("text.txt", "모든 국민은 법 앞에 평등하다\n뷁  ﾊ\n");
  const std::string changed = "the tokenizer changes 1 of 2 paragraphs (50 %)";
  const Outcome alone = here("ppl b --text text.txt --context 8 --device cpu");
  EXPECT_EQ(alone.exit_code, 0) << alone.text;
  EXPECT_TRUE(contains(alone.text, changed)) << alone.text;
  const Outcome refused = here("ppl a/final b --text text.txt --context 8 --device cpu");
  EXPECT_EQ(refused.exit_code, 2) << refused.text;
  EXPECT_TRUE(contains(refused.text, "b: " + changed)) << refused.text;
  const Outcome asked = here("ppl a/final b --text text.txt --context 8 --allow-lossy --device cpu");
  EXPECT_EQ(asked.exit_code, 0) << asked.text;
  EXPECT_TRUE(contains(asked.text, "have different tokens: compare bits per byte")) << asked.text;
}

TEST_F(TextPplTest, HowTextsBeginAndEndIsReadSaidAndOverridden) {
  const std::string ppl = "ppl a/final --text t.txt --context 32 --device cpu --json out.json ";
  const auto scored = [&](const std::string& options, const std::string& said) {
    const Outcome outcome = here(ppl + options);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
    EXPECT_TRUE(contains(outcome.text, said)) << outcome.text;
    return Json::parse(read_file(folder_.path() / "out.json"))["results"][0];
  };
  const Json without = scored("", "texts begin without a bos token (add_bos_token in tokenizer_config.json)");
  const Json with = scored("--add-bos", "texts begin with the bos token 1 (--add-bos)");
  EXPECT_NE(with["perplexity"], without["perplexity"]);
  const fs::path file = folder_.path() / "a/final/tokenizer_config.json";
  Json config = Json::parse(read_file(file));
  config["add_bos_token"] = true;
  config["bos_token"] = {{"content", "</s>"}};
  write_file_atomically(file, config.dump());
  write_file_atomically(folder_.path() / "a/final/generation_config.json", R"({"eos_token_id": [2, 300]})");
  list_anew(file.parent_path());
  EXPECT_EQ(scored("--no-add-bos", "texts begin without a bos token (--no-add-bos)")["perplexity"],
            without["perplexity"]);
  scored("", "texts begin with the bos token 2 (add_bos_token in tokenizer_config.json)");
  const std::string generate = "generate --checkpoint a/final --device cpu --max-new-tokens 4 --greedy --prompt 모든 ";
  EXPECT_TRUE(contains(here(generate).text, "end at 2, 300 (config.json and generation_config.json)"));
  const Outcome asked = here(generate + "--eos-token-id 7 --eos-token-id 8 --no-add-bos");
  EXPECT_TRUE(contains(asked.text, "texts begin without a bos token (--no-add-bos), end at 7, 8 (--eos-token-id)"))
      << asked.text;
  EXPECT_EQ(here(generate + "--eos-token-id 320").exit_code, 2);
}

TEST_F(TextPplTest, TrainingRefusesItsOwnTextForValidationAndSaysWhatIsInBoth) {
  const std::string text = read_file(folder_.path() / "t.txt");
  folder_.write("copy.txt", text);
  const std::string options = "--max-steps 1 --set data.train_path=t.txt --set data.tokenizer_model=t.model ";
  const Outcome same = train("same", options + "--set data.valid_path=copy.txt");
  EXPECT_EQ(same.exit_code, 2) << same.text;
  EXPECT_TRUE(contains(same.text, "data.valid_path: copy.txt has the same text as t.txt")) << same.text;
  std::string other;
  for (int i = 0; i < 30; ++i) other += "국민은 법 앞에 " + std::to_string(i) + "\n";
  folder_.write("other.txt", other + text.substr(0, text.find('\n') + 1));
  const Outcome both = train("both", options + "--set data.valid_path=other.txt");
  EXPECT_EQ(both.exit_code, 0) << both.text;
  EXPECT_TRUE(contains(both.text, "warning: 1 of 31 paragraphs of other.txt (3.23 %) stand in t.txt as well"))
      << both.text;
}

}  // namespace
}  // namespace bench::harness
