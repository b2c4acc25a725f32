#include "harness/data/synthetic.h"

#include <cmath>
#include <map>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

TEST(Synthetic, EntropyRateIsThatOfItsOwnText) {
  const SyntheticLanguage language(64);
  const auto text = language.text(200'000, 3);
  double nats = 0;
  for (std::size_t i = 1; i < text.size(); ++i) nats += language.nll(text[i - 1], text[i]);
  EXPECT_NEAR(nats / (200'000 - 1), SyntheticLanguage::entropy_rate(), 0.005);
  EXPECT_DOUBLE_EQ(SyntheticLanguage::entropy_rate(), 1.75 * std::log(2.0));
}

TEST(Synthetic, SuccessorsFollowTheirProbabilities) {
  const SyntheticLanguage language(16);
  const auto text = language.text(160'000, 4);
  std::map<std::int32_t, double> after_zero;
  double zeros = 0;
  for (std::size_t i = 1; i < text.size(); ++i)
    if (text[i - 1] == 0) ++after_zero[text[i]], ++zeros;
  ASSERT_EQ(after_zero.size(), 4u);
  EXPECT_NEAR(zeros / 160'000, 1.0 / 16, 0.003);  // stationary: every token equally frequent
  for (const auto& [next, count] : after_zero) EXPECT_NEAR(count / zeros, std::exp(-language.nll(0, next)), 0.02);
}

TEST(Synthetic, SeedsMakeTextsAndLanguages) {
  EXPECT_EQ(SyntheticLanguage(100).text(50, 1), SyntheticLanguage(100).text(50, 1));
  EXPECT_NE(SyntheticLanguage(100).text(50, 1), SyntheticLanguage(100).text(50, 2));
  EXPECT_NE(SyntheticLanguage(100, 1).text(50, 1), SyntheticLanguage(100, 2).text(50, 1));
  EXPECT_TRUE(std::isinf(SyntheticLanguage(100).nll(0, 0) + SyntheticLanguage(100).nll(1, 1) +
                         SyntheticLanguage(100).nll(2, 2) + SyntheticLanguage(100).nll(3, 3) +
                         SyntheticLanguage(100).nll(4, 4)));
}

}  // namespace
}  // namespace bench::harness
