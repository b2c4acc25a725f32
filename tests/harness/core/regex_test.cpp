#include "harness/core/regex.h"

#include "harness/core/clock.h"
#include "harness/core/error.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

TEST(Regex, FindsMatchesWithTheirGroups) {
  const Regex regex("^speed: ([0-9.]+)( s)?$");
  EXPECT_EQ(regex.groups(), 2u);
  const std::string text = "load: 3\nspeed: 1.5 s\nspeed: 2\n";
  const auto first = regex.find(text);
  ASSERT_TRUE(first);
  EXPECT_EQ(first->texts, (std::vector<std::string>{"speed: 1.5 s", "1.5", " s"}));
  const auto second = regex.find(text, first->end);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->texts, (std::vector<std::string>{"speed: 2", "2", ""}));
  EXPECT_FALSE(regex.find(text, second->end));
  EXPECT_FALSE(regex.find(std::string("\0\xFF", 2)));  // no text at all
}

TEST(Regex, WhatIsNoExpressionSaysWhere) {
  EXPECT_EQ(Regex::fault("a(b)"), "");
  EXPECT_EQ(Regex::fault("a(b"), "missing closing parenthesis at character 4");
  EXPECT_THROW(Regex("("), Error);
}

TEST(Regex, NoneTakesForEver) {
  const double begin = now_s();
  EXPECT_THROW(Regex("(?:a+a+)+[bc]").find(std::string(200000, 'a')), Error);
  EXPECT_THROW(Regex("(?:a|b)*c").find(std::string(8 << 20, 'a')), Error);  // more memory than it may have
  EXPECT_LT(now_s() - begin, 60);
}

}  // namespace
}  // namespace bench::harness
