#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/data/batches.h"
#include "harness/data/text.h"
#include "harness/data/text_bytes.h"
#include "harness/data/tokenizer.h"
#include "model/error.h"
#include "tests/temporary_folder.h"

#include <set>

#include <gtest/gtest.h>
#include <sentencepiece_trainer.h>

namespace bench::harness {
namespace {

using tests::TemporaryFolder;

/// A little Korean text with enough variety for a tokenizer of 290 pieces (256 of them are bytes).
std::string korean_text() {
  const std::vector<std::string> words{"대한민국은", "민주공화국이다", "모든",     "국민은", "법",     "앞에",
                                       "평등하다",   "주권은",         "국민에게", "있고",   "권력은", "나온다"};
  std::string text;
  for (std::size_t i = 0; i < 200; ++i) {
    for (std::size_t j = 0; j < 6; ++j) text += words[(i * 7 + j * (1 + i % 5)) % words.size()] + (j < 5 ? " " : "\n");
  }
  return text;
}

class TokenizerTest : public testing::Test {
 protected:
  TokenizerTest() : text_(folder_.write("train.txt", korean_text())), model_(folder_.path() / "t.model") {
    train_tokenizer({.text = text_, .output = model_, .vocab_size = 290});
  }
  TemporaryFolder folder_;
  std::filesystem::path text_, model_;
};

TEST_F(TokenizerTest, DecodesWhatItEncodesWhateverTheText) {
  const Tokenizer tokenizer(model_);
  EXPECT_EQ(tokenizer.vocab_size(), 290);
  for (const std::string text :
       {"대한민국은 민주공화국이다", "처음 보는 글자: 뷁 \xF0\x9F\x98\x80", "two  spaces and English"})
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text)), text);
  EXPECT_EQ(tokenizer.bos_id(), 1);
  EXPECT_EQ(tokenizer.eos_id(), 2);
}

TEST_F(TokenizerTest, TokensOfATextAreItsParagraphsWithTheirEnds) {
  const Tokenizer tokenizer(model_);
  const auto text = folder_.write("valid.txt", "대한민국은\n\n모든 국민은\n");
  std::vector<std::int64_t> expected = tokenizer.encode("대한민국은");
  expected.push_back(2);
  for (const auto id : tokenizer.encode("모든 국민은")) expected.push_back(id);
  expected.push_back(2);
  for (int time = 0; time < 2; ++time) {  // tokenized, then read from the file that was kept
    const TokenStream tokens = text_tokens(text, tokenizer, 3);
    EXPECT_TRUE(torch::equal(tokens.ids.to(torch::kInt64), torch::tensor(expected)));
  }
}

TEST_F(TokenizerTest, ChangedTextIsTokenizedAgain) {
  const Tokenizer tokenizer(model_);
  const auto before = text_tokens(folder_.write("v.txt", "모든\n"), tokenizer, 1).size();
  EXPECT_GT(text_tokens(folder_.write("v.txt", "모든 국민은 법 앞에 평등하다\n"), tokenizer, 1).size(), before);
}

TEST_F(TokenizerTest, LineEndsOfEitherKindGiveTheSameTokensAndTheSameTokenizer) {
  const Tokenizer tokenizer(model_);
  const auto lf = folder_.write("lf.txt", "대한민국은\n\n모든 국민은\n"),
             crlf = folder_.write("crlf.txt", "대한민국은\r\n\r\n모든 국민은\r\n");
  EXPECT_TRUE(torch::equal(text_tokens(lf, tokenizer, 1).ids, text_tokens(crlf, tokenizer, 2).ids));
  EXPECT_TRUE(torch::equal(text_tokens_with_bytes(lf, tokenizer, 1).text->of_token,
                           text_tokens_with_bytes(crlf, tokenizer, 1).text->of_token));
  std::string text = korean_text();
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) text.insert(at, "\r");
  const auto other = folder_.path() / "crlf.model";
  train_tokenizer({.text = folder_.write("train-crlf.txt", text), .output = other, .vocab_size = 290});
  EXPECT_EQ(read_file(other), read_file(model_));
  EXPECT_THROW(check_text(folder_.write("nothing.txt", "\r\n\r\n")), Error);
}

TEST_F(TokenizerTest, ATextBeginsWithTheIdThatIsAskedFor) {
  Tokenizer tokenizer(model_);
  const auto text = folder_.write("v.txt", "대한민국은\n모든\n");
  const torch::Tensor without = text_tokens(text, tokenizer, 1).ids;
  tokenizer.set_begin_id(tokenizer.id_of("<s>"));
  std::vector<std::int64_t> expected;
  for (const std::string line : {"대한민국은", "모든"}) {
    expected.push_back(1);
    for (const auto id : tokenizer.encode(line)) expected.push_back(id);
    expected.push_back(2);
  }
  const TokenStream with = text_tokens_with_bytes(text, tokenizer, 1);
  EXPECT_TRUE(torch::equal(with.ids.to(torch::kInt64), torch::tensor(expected)));
  EXPECT_EQ(with.text->of_token[0].item<int>(), 0);
  EXPECT_EQ(with.text->of_token.sum().item<std::int64_t>(),
            static_cast<std::int64_t>(std::filesystem::file_size(text)));
  EXPECT_EQ(tokenizer.decode(tokenizer.encode_from_beginning("모든 국민은")), "모든 국민은");
  EXPECT_FALSE(tokenizer.id_of("no such piece"));
  tokenizer.set_begin_id({});
  EXPECT_TRUE(torch::equal(text_tokens(text, tokenizer, 1).ids, without));  // not what is kept of the other
}

TEST_F(TokenizerTest, OtherKindsOfTokenizersAreNamed) {
  const auto error = [&](const std::string& content) -> std::string {
    try {
      Tokenizer(folder_.write("other.model", content));
    } catch (const Error& e) {
      return e.message();
    } catch (const model::InputError& e) {
      return e.what_is_wrong;
    }
    return "no error";
  };
  EXPECT_EQ(error(""), "is empty");
  EXPECT_EQ(error("IQ== 0\nIg== 1\n"), "is a tiktoken vocabulary, not a SentencePiece model");
  EXPECT_EQ(error("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
            "is a Git LFS pointer, not the file itself");
}

/// What was kept of a text's tokens.
std::filesystem::path kept_beside(const std::filesystem::path& text) {
  for (const auto& entry : std::filesystem::directory_iterator(text.parent_path()))
    if (entry.path().extension() == ".tokens") return entry.path();
  return {};
}

TEST_F(TokenizerTest, KeptTokensThatDoNotFitAreMadeAnew) {
  const Tokenizer tokenizer(model_);
  const auto text = folder_.write("v.txt", "모든 국민은 법 앞에 평등하다\n대한민국은\n");
  const torch::Tensor good = text_tokens(text, tokenizer, 1).ids.clone();
  const auto kept = kept_beside(text);
  const std::string bytes = read_file(kept);
  const auto with = [&](const std::string& content) {
    write_file_atomically(kept, content);
    return text_tokens(text, tokenizer, 1).ids.clone();
  };
  for (std::size_t at = 0; at < bytes.size(); at += 7) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    ASSERT_TRUE(torch::equal(with(flipped), good)) << at;
    ASSERT_EQ(read_file(kept), bytes) << at;
  }
  for (const std::string& content :
       {std::string(), bytes.substr(4), bytes.substr(0, bytes.size() - 4), bytes.substr(0, 16), std::string(400, '\0')})
    EXPECT_TRUE(torch::equal(with(content), good));
  const auto other = folder_.write("other.txt", "국민은 나온다\n");
  std::filesystem::remove(kept);
  text_tokens(other, tokenizer, 1);
  EXPECT_TRUE(torch::equal(with(read_file(kept_beside(other))), good));  // whole, but another text's
}

TEST_F(TokenizerTest, EveryByteOfATextStandsBehindAToken) {
  const Tokenizer tokenizer(model_);
  const std::string line = " 처음 보는 글자: 뷁 \xF0\x9F\x98\x80  두 칸 ";
  const TokenStream tokens = text_tokens_with_bytes(folder_.write("v.txt", "\n" + line + "\n모든"), tokenizer, 1);
  EXPECT_EQ(tokens.text->of_token.sum().item<std::int64_t>(), static_cast<std::int64_t>(line.size() + 1 + 6 + 1));
  const auto first = tokenizer.encode(line).size() + 1;
  EXPECT_EQ(tokens.text->of_token.slice(0, 0, static_cast<std::int64_t>(first)).sum().item<std::int64_t>(),
            static_cast<std::int64_t>(line.size() + 1));
  EXPECT_EQ(tokens.text->lossy(), "");
}

TEST_F(TokenizerTest, ATokenizerThatChangesTheTextSaysHowMuchOfIt) {
  const auto lossy = folder_.path() / "lossy.model";
  const auto status = sentencepiece::SentencePieceTrainer::Train(
      {{"input", text_.string()},
       {"model_prefix", (folder_.path() / "lossy").string()},
       {"vocab_size", "60"},
       {"model_type", "bpe"},
       {"minloglevel", "2"}});  // NFKC, and unknown pieces for want of byte fallback
  ASSERT_TRUE(status.ok()) << status.ToString();
  const std::string text = "모든 국민은\n모든 ﾊ 국민은\n법 앞에  평등하다\n뷁\n";
  const TokenStream tokens = text_tokens_with_bytes(folder_.write("v.txt", text), Tokenizer(lossy), 1);
  EXPECT_EQ(tokens.text->lossy(),
            "the tokenizer changes 3 of 4 paragraphs (75 %): decode(encode(line)) is another line");
  EXPECT_EQ(tokens.text->of_token.sum().item<std::int64_t>(), static_cast<std::int64_t>(text.size()));
}

TEST_F(TokenizerTest, MissingForeignAndOversizedTokenizersAreErrors) {
  EXPECT_THROW(Tokenizer(folder_.path() / "none.model"), Error);
  EXPECT_THROW(Tokenizer(folder_.write("bad.model", "not a model")), Error);
  EXPECT_THROW(Tokenizer(model_).check_fits(289), Error);
  EXPECT_NO_THROW(Tokenizer(model_).check_fits(290));
  EXPECT_THROW(train_tokenizer({.text = text_, .output = folder_.path() / "x", .vocab_size = 100000}), Error);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "x"));
}

TEST(Batches, AnEpochVisitsEveryWindowOnceInAnOrderOfItsOwn) {
  const Batches batches(synthetic_tokens(32, 101, 1), 4, 5, 7);
  ASSERT_EQ(batches.windows(), 20);
  std::vector<std::multiset<std::string>> epochs(2);
  std::vector<std::string> order[2];
  for (std::int64_t i = 0; i < 10; ++i) {
    const torch::Tensor batch = batches.batch(i);
    EXPECT_EQ(batch.sizes(), (torch::IntArrayRef{4, 6}));
    for (std::int64_t row = 0; row < 4; ++row) {
      std::ostringstream text;
      text << batch[row];
      epochs[static_cast<std::size_t>(i / 5)].insert(text.str());
      order[i / 5].push_back(text.str());
    }
  }
  EXPECT_EQ(epochs[0], epochs[1]);
  EXPECT_NE(order[0], order[1]);
}

TEST(Batches, RowsDoNotDependOnTheBatchSize) {
  const Batches fours(synthetic_tokens(32, 101, 1), 4, 5, 7), ones(synthetic_tokens(32, 101, 1), 1, 5, 7);
  for (std::int64_t row = 0; row < 40; ++row)
    EXPECT_TRUE(torch::equal(fours.batch(row / 4)[row % 4], ones.batch(row)[0]));
}

TEST(Batches, TooShortATextIsAnError) { EXPECT_THROW(Batches(synthetic_tokens(32, 5, 1), 1, 5, 0), Error); }

TEST(Prefetcher, GivesTheSameBatchesWithAnyNumberOfWorkers) {
  const Batches batches(synthetic_tokens(32, 301, 1), 2, 5, 7);
  for (const std::int64_t workers : {0, 1, 3}) {
    Prefetcher prefetcher(batches, {workers, 2, true}, 5);
    for (std::int64_t i = 5; i < 90; ++i)
      EXPECT_TRUE(torch::equal(prefetcher.next(), batches.batch(i))) << workers << " " << i;
  }
}

}  // namespace
}  // namespace bench::harness
