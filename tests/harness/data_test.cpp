#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/data/batches.h"
#include "harness/data/tokenizer.h"
#include "harness/data/tokens.h"
#include "tests/temporary_folder.h"

#include <set>

#include <gtest/gtest.h>

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
    EXPECT_EQ(tokens.text_bytes, static_cast<std::int64_t>(std::filesystem::file_size(text)));
  }
}

TEST_F(TokenizerTest, ChangedTextIsTokenizedAgain) {
  const Tokenizer tokenizer(model_);
  const auto before = text_tokens(folder_.write("v.txt", "모든\n"), tokenizer, 1).size();
  EXPECT_GT(text_tokens(folder_.write("v.txt", "모든 국민은 법 앞에 평등하다\n"), tokenizer, 1).size(), before);
}

TEST_F(TokenizerTest, MissingForeignAndOversizedTokenizersAreErrors) {
  EXPECT_THROW(Tokenizer(folder_.path() / "none.model"), Error);
  EXPECT_THROW(Tokenizer(folder_.write("bad.model", "not a model")), Error);
  EXPECT_THROW(Tokenizer(model_).check_fits(289), Error);
  EXPECT_NO_THROW(Tokenizer(model_).check_fits(290));
  EXPECT_THROW(train_tokenizer({.text = text_, .output = folder_.path() / "x", .vocab_size = 100000}), Error);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "x"));
}

TEST(RawTokens, AreLittleEndianInt32AndChecked) {
  const TemporaryFolder folder;
  const auto file = folder.write("ids", std::string("\x05\0\0\0\x01\x02\0\0", 8));
  EXPECT_TRUE(torch::equal(raw_tokens(file, 1000).ids, torch::tensor({5, 513}, torch::kInt32)));
  EXPECT_THROW(raw_tokens(file, 513), Error);
  EXPECT_THROW(raw_tokens(folder.write("odd", "12345"), 1000), Error);
  EXPECT_THROW(raw_tokens(folder.write("empty", ""), 1000), Error);
  EXPECT_THROW(raw_tokens(folder.write("negative", std::string(4, '\xff')), 1000), Error);
  EXPECT_THROW(raw_tokens(folder.path() / "none", 1000), Error);
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
