#include "harness/core/numbers.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

TEST(Numbers, OfATextTheWholeIsOne) {
  EXPECT_EQ(parse_number("-2.5e3"), -2500);
  EXPECT_TRUE(std::isinf(parse_number("1e999").value()));
  for (const char* text : {"", "x", "1x", "1 ", "1,5", "0.5 %", "1e-400", "1e-310"})
    EXPECT_FALSE(parse_number(text)) << text;
}

TEST(Numbers, ATextMayBeginWithOne) {
  const auto number = leading_number("9.5 GiB");
  ASSERT_TRUE(number);
  EXPECT_EQ(number->value, 9.5);
  EXPECT_EQ(number->length, 3U);
  EXPECT_FALSE(leading_number("GiB 9.5"));
}

TEST(Numbers, AnIntegerBeyond64BitsIsTooLarge) {
  std::int64_t value = 0;
  EXPECT_EQ(parse_integer("-9223372036854775808", value), IntegerText::kFits);
  EXPECT_EQ(value, std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parse_integer("9223372036854775808", value), IntegerText::kTooLarge);
  for (const char* text : {"", "x", "1.0", "1e3", "0x10", " 1", "1 "})
    EXPECT_EQ(parse_integer(text, value), IntegerText::kIsNone) << text;
}

}  // namespace
}  // namespace bench::harness
