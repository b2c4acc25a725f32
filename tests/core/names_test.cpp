#include "harness/core/names.h"

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

}  // namespace
}  // namespace bench::harness
