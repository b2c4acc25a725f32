#include "harness/running/ab.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

/// A pair of processes whose times differ by a factor of `slower`, with a spread of `noise` between pairs.
AbPair pair(double slower, double noise, std::mt19937_64& random) {
  // The sum of twelve uniform numbers is nearly normal; std::normal_distribution differs between standard libraries.
  double normal = -6;
  for (int i = 0; i < 12; ++i) normal += static_cast<double>(random() % 100000) / 100000;
  AbPair made;
  for (int i = 0; i < 6; ++i) made.a_s.push_back(1), made.b_s.push_back(slower * std::exp(noise * normal));
  return made;
}

/// What a comparison comes to that looks as run_ab does.
Change compare(double slower, double noise, std::uint64_t seed) {
  const AbOptions options;
  std::mt19937_64 random(seed);
  std::vector<AbPair> pairs;
  while (static_cast<std::int64_t>(pairs.size()) < options.most_pairs) {
    pairs.push_back(pair(slower, noise, random));
    const auto n = static_cast<std::int64_t>(pairs.size());
    if (n < options.fewest_pairs || n % 2 != 0) continue;
    const Change change = judge_pairs(pairs, options);
    if (change != Change::kCantTell) return change;
  }
  return Change::kCantTell;
}

int count(Change wanted, double slower, double noise) {
  int found = 0;
  for (std::uint64_t seed = 0; seed < 500; ++seed) found += compare(slower, noise, seed) == wanted;
  return found;
}

TEST(Ab, CriesWolfInAtMostFivePercentOfComparisons) {
  for (const double noise : {0.01, 0.03, 0.1}) EXPECT_LE(count(Change::kWorse, 1, noise), 25) << noise;
}

TEST(Ab, FindsFivePercentInNearlyAll) {
  EXPECT_GE(count(Change::kWorse, 1.05, 0.03), 450);
  EXPECT_GE(count(Change::kBetter, 1 / 1.05, 0.03), 450);
}

TEST(Ab, NeverCallsFivePercentTheSame) { EXPECT_LE(count(Change::kSame, 1.05, 0.02), 5); }

TEST(Ab, EqualProgramsAreSoonKnownToBe) { EXPECT_GE(count(Change::kSame, 1, 0.02), 400); }

TEST(Ab, TooFewPairsTellNothingHoweverEqual) {
  const std::vector<AbPair> pairs(5, AbPair{true, {1, 1}, {1, 1}});
  EXPECT_EQ(judge_pairs(pairs, {}), Change::kCantTell);
  EXPECT_EQ(judge_pairs(std::vector<AbPair>(6, pairs[0]), {}), Change::kSame);
}

TEST(Ab, TooFewPairsHaveNoInterval) {
  AbCase one;
  one.pairs = std::vector<AbPair>(5, AbPair{true, {1, 1}, {1, 1.1}});
  EXPECT_GT(one.ratio().value, 1);
  AbResult result;
  result.cases.push_back(one);
  const Json json = to_json(result)["cases"][0];
  EXPECT_TRUE(json["low"].is_null());
  EXPECT_TRUE(json["high"].is_null());
  EXPECT_TRUE(json["time_ratio"].is_number());
}

TEST(Ab, ATimeThatIsNotANumberIsNeverTheSame) {
  for (const double broken : {std::nan(""), static_cast<double>(INFINITY), 0.0}) {
    std::vector<AbPair> pairs(8, AbPair{true, {1, 1, 1}, {1, 1, 1}});
    pairs[2].b_s[1] = broken;
    EXPECT_EQ(judge_pairs(pairs, {}), Change::kCantTell) << broken;
  }
}

TEST(Ab, OneDisturbedPairOfBlocksDoesNotMove) {
  AbPair one{true, {1, 1, 1, 1, 1}, {1.02, 1.02, 9, 1.02, 1.02}};
  EXPECT_NEAR(one.log_ratio(), std::log(1.02), 1e-12);
}

AbResult result_of(Change change, bool error = false, bool untimed = false) {
  AbCase one;
  one.change = change;
  one.error = error;
  one.untimed = untimed;
  AbResult result;
  result.cases.push_back(one);
  return result;
}

TEST(Ab, ExitCodeFollowsTheCases) {
  EXPECT_EQ(result_of(Change::kSame).exit_code(), Exit::kOk);
  EXPECT_EQ(result_of(Change::kBetter).exit_code(), Exit::kOk);
  EXPECT_EQ(result_of(Change::kWorse).exit_code(), Exit::kGateFailed);
  EXPECT_EQ(result_of(Change::kCantTell).exit_code(), Exit::kNotJudged);
  EXPECT_EQ(result_of(Change::kCantTell, true).exit_code(), Exit::kCaseError);
  EXPECT_EQ(AbResult{}.exit_code(), Exit::kNotJudged);
  AbResult with_untimed = result_of(Change::kCantTell, false, true);
  EXPECT_EQ(with_untimed.exit_code(), Exit::kNotJudged);  // nothing was compared
  with_untimed.cases.push_back(result_of(Change::kSame).cases[0]);
  EXPECT_EQ(with_untimed.exit_code(), Exit::kOk);
}

TEST(Ab, EachSideMakesAllBlocksOfATrainingCaseAndKeepsNoCheckpoint) {
  const Suite quick = read_suite(BENCH_SOURCE_DIR "/suites/quick.yaml");
  const auto training = std::find_if(quick.cases.begin(), quick.cases.end(),
                                     [](const auto& spec) { return spec.config.value("keep_checkpoint", false); });
  ASSERT_NE(training, quick.cases.end());
  const CaseRequest request = ab_request(*training, {}, 0.1);
  EXPECT_FALSE(request.config.contains("keep_checkpoint"));
  EXPECT_TRUE(request.config.contains("training"));
  EXPECT_EQ(request.precision, 0);
  EXPECT_EQ(request.max_blocks, AbOptions{}.blocks);
  EXPECT_TRUE(request.in_turns);
}

}  // namespace
}  // namespace bench::harness
