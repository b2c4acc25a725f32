#include "harness/core/units.h"

#include "harness/core/error.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

TEST(ParseBytes, ReadsUnitsAndRejectsTheRest) {
  EXPECT_DOUBLE_EQ(parse_bytes("10GB", "x"), 10e9);
  EXPECT_DOUBLE_EQ(parse_bytes("9.5 GiB", "x"), 9.5 * 1073741824);
  EXPECT_DOUBLE_EQ(parse_bytes("800MB", "x"), 8e8);
  EXPECT_DOUBLE_EQ(parse_bytes("1e9B", "x"), 1e9);
  for (const char* bad : {"", "GB", "10", "1e9", "10XB", "-1GB", "0", "nan", "1e999", "10GB or so"})
    EXPECT_THROW(parse_bytes(bad, "x"), Error) << bad;
}

TEST(ParseShare, SharesAreReadAsPeopleWriteThem) {
  EXPECT_DOUBLE_EQ(parse_share("5%", "x"), 0.05);
  EXPECT_DOUBLE_EQ(parse_share("0.05", "x"), 0.05);
  EXPECT_DOUBLE_EQ(parse_share("150%", "x"), 1.5);
  for (const char* wrong : {"", "five", "-1%", "inf", "5 %%", "5", "1"})
    EXPECT_THROW(parse_share(wrong, "x"), Error) << wrong;
}

TEST(DurationText, IsInTheUnitThatTheNumberIsReadIn) {
  const std::vector<std::pair<double, std::string>> known{
      {42.4, "42 s"}, {5400, "90 min"}, {34200, "9.5 h"}, {8.3 * 86400, "8.3 days"}, {62.0 * 86400, "62 days"}};
  for (const auto& [seconds, text] : known) EXPECT_EQ(duration_text(seconds), text);
}

}  // namespace
}  // namespace bench::harness
