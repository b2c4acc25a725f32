#include "harness/core/stats.h"

#include <cmath>
#include <limits>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

TEST(Stats, QuantilesInterpolate) {
  EXPECT_DOUBLE_EQ(quantile({4, 1, 3, 2}, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile({1, 2, 3, 4, 5}, 0.95), 4.8);
  EXPECT_TRUE(std::isnan(quantile({}, 0.5)));
}

TEST(Stats, MedianIntervalUsesTheOrderStatisticsOfTheBinomial) {
  // n = 10: P(at most 1 below the median) = 11/1024 = 1.07 % per side, so ranks 2 and 9 (Conover, table A3).
  const Estimate e = median({1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
  EXPECT_EQ(e.value, 5.5);
  EXPECT_EQ(e.low, 2);
  EXPECT_EQ(e.high, 9);
  EXPECT_EQ(e.n, 10);
}

TEST(Stats, TailQuantilesNeedSamplesBeyondThem) {
  std::vector<double> samples(71);
  std::iota(samples.begin(), samples.end(), 1.0);
  EXPECT_FALSE(quantile_estimate(samples, 0.95).has_interval());
  samples.push_back(72);
  const Estimate e = quantile_estimate(samples, 0.95);
  EXPECT_LT(e.low, e.value);
  EXPECT_EQ(e.high, 72);
}

TEST(Stats, TooFewSamplesGiveNoInterval) {
  for (const Estimate& e : {median({3, 1, 2}), mean({7}), across_processes({5}), signed_rank({1, 2}).centre}) {
    EXPECT_TRUE(std::isnan(e.low));
    EXPECT_TRUE(std::isnan(e.high));
    EXPECT_FALSE(e.has_interval());
    EXPECT_EQ(e.least(), e.value);
    EXPECT_EQ(e.most(), e.value);
    EXPECT_TRUE(std::isinf(e.relative_half_width()));
  }
}

TEST(Stats, OneSampleThatIsNotFiniteIsNeverLeftOut) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  for (const double broken : {kNan, static_cast<double>(INFINITY), static_cast<double>(-INFINITY)})
    for (std::size_t at = 0; at < 9; ++at) {
      std::vector<double> samples{1, 2, 3, 4, 5, 6, 7, 8, 9};
      samples[at] = broken;
      for (const Estimate& e :
           {median(samples), mean(samples), across_processes(samples), signed_rank(samples).centre}) {
        EXPECT_TRUE(std::isnan(e.value)) << broken << " at " << at;
        EXPECT_FALSE(e.has_interval());
      }
      EXPECT_EQ(signed_rank(samples).p_value, 1);
    }
  EXPECT_TRUE(std::isnan(quantile({1, kNan, 3}, 1)));
  EXPECT_TRUE(std::isnan(ratio({.value = 1}, {.value = kNan}).value));
  EXPECT_TRUE(std::isnan(ratio({.value = INFINITY}, {.value = INFINITY}).value));
  EXPECT_EQ(p_value(kNan, 0, 3), 1);
}

TEST(Stats, NoIntervalOfATimeReachesZero) {
  const Estimate wide = across_processes({1, 9});  // Student's t: 5 +- 50.8
  EXPECT_LT(across_units({1, 9}).low, 0);
  EXPECT_DOUBLE_EQ(wide.value, 5);
  EXPECT_GT(wide.low, 0);
  EXPECT_LT(wide.low, 1);
  EXPECT_GT(wide.high, 9);
  const Estimate narrow = across_processes({4.9, 5.1});  // an interval that stays above zero is Student's
  EXPECT_EQ(narrow.low, mean({4.9, 5.1}).low);
  EXPECT_LT(across_units({-0.1, 0.5}).low, 0);  // logarithms of ratios may be negative
}

TEST(Stats, MeanIntervalIsStudentsT) {
  const Estimate e = mean({1, 2, 3, 4, 5});  // sd 1.5811, t(4, 0.975) = 2.7764
  EXPECT_NEAR(e.value, 3, 1e-12);
  EXPECT_NEAR(e.high - e.value, 2.7764451 * 1.5811388 / std::sqrt(5.0), 1e-6);
}

TEST(Stats, IntervalsHoldTheTruthAboutAsOftenAsTheySay) {
  std::mt19937_64 random(1);
  std::exponential_distribution<double> skewed(1.0);
  int median_hits = 0, trials = 2000;
  for (int i = 0; i < trials; ++i) {
    std::vector<double> samples(21);
    for (auto& s : samples) s = skewed(random);
    const Estimate e = median(samples);
    median_hits += e.low <= std::log(2.0) && std::log(2.0) <= e.high;
  }
  EXPECT_GE(median_hits, 0.95 * trials - 3 * std::sqrt(trials * 0.05));
}

TEST(Stats, RatioTakesBothIntervalsOnTheLogarithmicScale) {
  const Estimate r = ratio({10, 8, 12.5, 20}, {5, 4, 6.25, 9});  // both a factor of 1.25 either way
  EXPECT_DOUBLE_EQ(r.value, 2);
  const double both = std::exp(std::sqrt(2) * std::log(1.25));
  EXPECT_NEAR(r.low, 2 / both, 1e-12);
  EXPECT_NEAR(r.high, 2 * both, 1e-12);
  EXPECT_EQ(r.n, 9);
  EXPECT_EQ(ratio({0, 0, 0, 1}, {0, 0, 0, 1}).value, 1);
}

TEST(Stats, AnIntervalThatReachesZeroBoundsNeitherQuotientNorRatio) {
  const Estimate time{2, -1, 5, 2}, steady{2, 1, 4, 9};
  EXPECT_DOUBLE_EQ(quotient(10, time).value, 5);
  EXPECT_DOUBLE_EQ(quotient(10, time).low, 2);
  EXPECT_TRUE(std::isinf(quotient(10, time).high));
  EXPECT_DOUBLE_EQ(quotient(10, steady).high, 10);
  EXPECT_TRUE(std::isinf(ratio(steady, time).high));
  EXPECT_GT(ratio(steady, time).low, 0);
  EXPECT_EQ(ratio(time, steady).low, 0);
  EXPECT_EQ(ratio(steady, quotient(10, time)).low, 0);
  EXPECT_FALSE(quotient(10, Estimate::point(2, 1)).has_interval());
  EXPECT_FALSE(ratio(Estimate::point(2, 1), Estimate::point(3, 1)).has_interval());
  EXPECT_DOUBLE_EQ(ratio({2, 1, 4, 9}, Estimate::point(2, 1)).high, 2);
}

TEST(Stats, FewProcessesGetStudentsIntervalAndMoreTheMedians) {
  EXPECT_DOUBLE_EQ(across_processes({1, 2, 6}).value, 3);
  EXPECT_GT(across_processes({1, 2, 6}).high, 6);
  const Estimate six = across_processes({1, 2, 3, 4, 5, 60});
  EXPECT_DOUBLE_EQ(six.value, 3.5);
  EXPECT_EQ(six.low, 1);
  EXPECT_EQ(six.high, 60);
  EXPECT_FALSE(across_processes({1}).has_interval());
}

TEST(Stats, SignedRankAgreesWithTables) {
  const SignedRank six = signed_rank({1, 2, 3, 4, 5, 6});
  EXPECT_DOUBLE_EQ(six.p_value, 2.0 / 64);
  EXPECT_DOUBLE_EQ(six.centre.value, 3.5);
  EXPECT_EQ(six.centre.low, 1);
  EXPECT_EQ(six.centre.high, 6);
  EXPECT_FALSE(signed_rank({1, 2, 3, 4, 5}).centre.has_interval());
  // n = 10, ranks of the negative values sum to 8: the two-sided table's 5 % point is exactly 8 (p = 0.0488).
  const SignedRank ten = signed_rank({1.1, 2.1, 3.1, 4.1, 5.1, 6.1, 7.1, -8.1, 9.1, 10.1});
  EXPECT_NEAR(ten.p_value, 0.048828125, 1e-12);
  EXPECT_LT(signed_rank({-1, 2, 3, 4, 5, 6, 7, 900}).p_value, 0.05);  // a wild value is a rank like another
}

TEST(Stats, PValueAgreesWithTheIntervalItComesFrom) {
  EXPECT_NEAR(p_value(2.0, 2.0, 7), 0.05, 1e-9);
  EXPECT_NEAR(p_value(-2.0, 2.0, 7), 0.05, 1e-9);
  EXPECT_LT(p_value(3.0, 2.0, 7), 0.05);
  EXPECT_EQ(p_value(0, 2.0, 7), 1);
  EXPECT_EQ(p_value(1e-9, 0, 7), 0);
}

TEST(Stats, HolmStepsDown) {
  const auto corrected = holm({0.04, 0.01, 0.03});
  EXPECT_DOUBLE_EQ(corrected[1], 0.03);  // 3 x 0.01
  EXPECT_DOUBLE_EQ(corrected[2], 0.06);  // 2 x 0.03
  EXPECT_DOUBLE_EQ(corrected[0], 0.06);  // 1 x 0.04, but not below the one before it
  EXPECT_TRUE(holm({}).empty());
}

}  // namespace
}  // namespace bench::harness
