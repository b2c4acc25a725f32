#include "harness/devices/backends.h"

#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

constexpr const char *kHigh = "PYTORCH_MPS_HIGH_WATERMARK_RATIO", *kLow = "PYTORCH_MPS_LOW_WATERMARK_RATIO";

/// The low watermark where the user has set the high one; "": where not.
std::string low_below(const std::string& high) {
  ::unsetenv(kLow);
  high.empty() ? ::unsetenv(kHigh) : ::setenv(kHigh, high.c_str(), /*overwrite=*/1);
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
}

}  // namespace
}  // namespace bench::harness
