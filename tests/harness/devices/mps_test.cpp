#include "harness/devices/backends.h"

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

constexpr const char *kHigh = "PYTORCH_MPS_HIGH_WATERMARK_RATIO", *kLow = "PYTORCH_MPS_LOW_WATERMARK_RATIO";

void set(const char* name, const std::string& value) {
  value.empty() ? ::unsetenv(name) : ::setenv(name, value.c_str(), /*overwrite=*/1);
}

/// The low watermark where the user has set the high one, the low one or both; "": not.
std::string low_below(const std::string& high, const std::string& asked = "") {
  set(kLow, asked);
  set(kHigh, high);
  mps_device().prepare();
  const std::string low = std::getenv(kLow);
  ::unsetenv(kLow);
  ::unsetenv(kHigh);
  return low;
}

TEST(Mps, TheLowWatermarkNeverLiesAboveTheHighOne) {
  EXPECT_EQ(low_below(""), "0.7");
  EXPECT_EQ(low_below("0.9"), "0.7");
  EXPECT_EQ(low_below("0.5"), "0.5");
  EXPECT_EQ(low_below("0"), "0.7");  // no cap
  EXPECT_EQ(low_below("", "0.6"), "0.6");
  EXPECT_EQ(low_below("", "1.0"), "0.8");
  EXPECT_EQ(low_below("0.5", "0.9"), "0.5");
  EXPECT_EQ(low_below("0", "1.5"), "1.5");
}

}  // namespace
}  // namespace bench::harness
