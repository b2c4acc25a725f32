#include "harness/host/environment.h"

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

TEST(ProcessorName, ThatIsNotToldSaysSo) {
  EXPECT_EQ(processor_name("AMD EPYC 9654", "x86_64"), "AMD EPYC 9654");
  for (const char* told : {"", "unknown"}) EXPECT_EQ(processor_name(told, "aarch64"), "unknown processor (aarch64)");
}

}  // namespace
}  // namespace bench::harness
