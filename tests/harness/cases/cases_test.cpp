#include "harness/cases/cases.h"

#include "harness/judging/metric.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

TEST(Cases, EveryMetricNamesCaseTypesThatThereAre) {
  const auto names = case_type_names();
  for (const auto& metric : metrics())
    EXPECT_TRUE(std::ranges::any_of(names, [&](const auto& name) { return metric.measured_by(name); })) << metric.name;
}

}  // namespace
}  // namespace bench::harness
