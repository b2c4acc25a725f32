#include "harness/core/names.h"

#include "harness/core/error.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace bench::harness {
namespace {

TEST(Names, NearestNameIsASlipAwayOrNone) {
  EXPECT_EQ(nearest_name("prefil", {"train", "prefill"}), "prefill");
  EXPECT_EQ(nearest_name("zzzzzz", {"train", "prefill"}), "");
}

TEST(Names, GlobsMatchAsInAShell) {
  EXPECT_TRUE(matches_glob("train-medium", "*medium*"));
  EXPECT_TRUE(matches_glob("train", "t?ain"));
  EXPECT_TRUE(matches_glob("", "*"));
  EXPECT_FALSE(matches_glob("train", "rain"));
  EXPECT_FALSE(matches_glob("train", "train?"));
}

TEST(Names, GlobsOfManyStarsTakeNoLongerThanTheirLengthAllows) {
  std::string stars;
  for (int i = 0; i < 99; ++i) stars += "*a";
  const std::string name(1'000'000, 'a');
  EXPECT_FALSE(matches_glob(name + "b", stars + "c"));  // trying all ways would not end
  EXPECT_TRUE(matches_glob(name, stars));
  EXPECT_TRUE(matches_glob("abcabd", "*ab?"));
  EXPECT_TRUE(matches_glob("a", "a**"));
  EXPECT_FALSE(matches_glob("", "?"));
}

TEST(Names, LongPatternsAreRefused) {
  const std::string name(100'000, 'a');
  EXPECT_TRUE(matches_glob(name, fmt::format("{:a<199}*", "")));
  try {
    matches_glob(name, fmt::format("{:a<200}*", ""));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.where(), fmt::format("'{:a<40}...'", ""));
    EXPECT_EQ(e.message(), "is too long for a pattern");
    EXPECT_EQ(e.hint(), "200 bytes at most; a * stands for any part of a name");
  }
}

TEST(Names, LongNamesAreNoSlips) {
  const std::string long_name(1'000'000, 'x');
  EXPECT_EQ(nearest_name(long_name, {long_name + "y"}), "");
  EXPECT_EQ(nearest_name("prefil", {long_name, "prefill"}), "prefill");
}

}  // namespace
}  // namespace bench::harness
