#include "harness/selftest/selftest.h"

#include "harness/selftest/comparison.h"
#include "harness/selftest/small_model.h"
#include "model/path.h"
#include "tests/harness/selftest/released_memory.h"

#include <cmath>
#include <limits>
#include <set>

#include <gtest/gtest.h>
#include <torch/library.h>

namespace bench::harness {
namespace {

constexpr double kNotKnown = std::numeric_limits<double>::quiet_NaN();

/// A self-test in which every probe passed.
SelfTest passing() {
  SelfTest test{selftest_place(*device_named("cpu")), {}};
  for (const Probe& probe : probes()) test.results.push_back({probe.name, true, 0.25, 0.5, "worst of all", 1.5});
  return test;
}

ProbeResult& result_of(SelfTest& test, const std::string& probe) {
  return *std::ranges::find(test.results, probe, &ProbeResult::probe);
}

class SelfTestOnTheProcessor : public testing::TestWithParam<const char*> {
 protected:
  const model::AssumedPath path_{model::path()};  // a device may change it
};
INSTANTIATE_TEST_SUITE_P(Paths, SelfTestOnTheProcessor, testing::Values("cpu", "portable"));

TEST_P(SelfTestOnTheProcessor, PassesEveryProbe) {
  tests::release_freed_memory();
  const SelfTest test = run_selftest(*device_named(GetParam()));
  EXPECT_EQ(test.results.size(), probes().size());
  EXPECT_TRUE(test.passed()) << test.reason();
  EXPECT_EQ(test.reason(), "");
  EXPECT_EQ(test.hint(), "");
}

TEST(SelfTest, SaysWhatItHasSoFarBeforeEachProbe) {
  std::vector<std::size_t> done;
  const SelfTest test = run_selftest(*device_named("cpu"), [&](const SelfTest& so_far) {
    done.push_back(so_far.results.size());
    EXPECT_EQ(so_far.place.device, "cpu");
  });
  std::vector<std::size_t> expected;
  for (std::size_t i = 0; i <= probes().size(); ++i) expected.push_back(i);
  EXPECT_EQ(done, expected);
}

torch::Tensor refusing(const torch::Tensor&, std::optional<std::int64_t>, bool) {
  throw std::runtime_error("this device has no argmax");
}

/// LibTorch warns of a kernel that takes the place of another.
struct Quiet : c10::WarningHandler {
  void process(const c10::Warning&) override {}
};

TEST(SelfTest, AProbeThatThrowsFailsWithTheReasonAndTheOthersRun) {
  Quiet handler;
  const c10::WarningUtils::WarningHandlerGuard silent(&handler);
  torch::Library library(torch::Library::IMPL, "aten", c10::DispatchKey::CPU, __FILE__, __LINE__);
  library.impl("argmax", refusing);
  tests::release_freed_memory();
  const SelfTest test = run_selftest(*device_named("cpu"));
  EXPECT_EQ(test.results.size(), probes().size());
  const auto failed = test.failed();
  ASSERT_EQ(failed.size(), 2u) << test.summary();  // greedy decoding takes the largest logit as well
  EXPECT_EQ(failed[0]->probe, "argmax");
  EXPECT_EQ(failed[0]->detail, "this device has no argmax");
  EXPECT_TRUE(std::isnan(failed[0]->difference));
  EXPECT_EQ(failed[1]->probe, "greedy_tokens");
  EXPECT_NE(test.reason().find("argmax: this device has no argmax"), std::string::npos) << test.reason();
}

TEST(SelfTest, OneThatEndedEarlyHasNotPassed) {
  SelfTest test = passing();
  EXPECT_TRUE(test.passed());
  test.results.pop_back();
  EXPECT_FALSE(test.passed());
  EXPECT_NE(test.reason().find("15 of 16"), std::string::npos) << test.reason();
}

TEST(SelfTest, ADifferenceThatIsNoNumberHasNotPassed) {
  SelfTest test = passing();
  result_of(test, "argmax") = {"argmax", false, kNotKnown, kNotKnown, "no such kernel", 0};
  EXPECT_EQ(test.summary(), "failed: 1 of 16 probes: argmax");
}

TEST(SelfTest, SaysWhichProbeFailedByHowMuchWhatIsKnownAndWhatToDo) {
  SelfTest test = passing();
  result_of(test, "masked_fill_on_view") = {"masked_fill_on_view", false, 3.25, 0, "scores under a mask, fp32", 0.1};
  EXPECT_EQ(test.reason(),
            "the self-test of cpu failed: masked_fill_on_view: is off by 3.25 (at most 0): scores under a mask, fp32");
  EXPECT_NE(test.hint().find("pytorch/pytorch#176171"), std::string::npos) << test.hint();
  EXPECT_NE(test.hint().find("update the system and LibTorch"), std::string::npos) << test.hint();
}

TEST(SelfTest, IsTheSameAfterWritingAndReading) {
  SelfTest test = passing();
  result_of(test, "argmax") = {"argmax", false, kNotKnown, kNotKnown, "no such kernel", 0.5};
  const Json json = to_json(test);
  EXPECT_EQ(json.at("schema"), "bench-selftest/1");
  EXPECT_EQ(json.at("passed"), false);
  const SelfTest again = selftest_from_json(json, "file");
  EXPECT_EQ(to_json(again), json);
  EXPECT_TRUE(std::isnan(result_of(test, "argmax").difference));
}

TEST(SelfTest, RefusesWhatIsNone) {
  const auto message = [](const Json& json) {
    try {
      selftest_from_json(json, "file");
    } catch (const Error& e) {
      return e.where() + ": " + e.message();
    }
    return std::string("no error");
  };
  EXPECT_EQ(message({{"schema", "bench-selftest/9"}}),
            "file: has schema 'bench-selftest/9', this program reads 'bench-selftest/1'");
  EXPECT_TRUE(message({{"schema", "bench-selftest/1"}}).starts_with("file: is not a self-test"));
  EXPECT_TRUE(message(Json::array()).starts_with("file: is not a self-test"));
}

TEST(Probes, HaveNamesOfTheirOwnAndSayWhatToDo) {
  std::set<std::string> names;
  for (const Probe& probe : probes()) {
    EXPECT_TRUE(names.insert(probe.name).second) << probe.name;
    EXPECT_NE(std::string(probe.meaning), "") << probe.name;
    EXPECT_NE(std::string(probe.advice), "") << probe.name;
    EXPECT_EQ(find_probe(probe.name), &probe);
  }
  EXPECT_EQ(find_probe("no such probe"), nullptr);
}

TEST(Worst, IsTheComparisonFurthestBeyondItsTolerance) {
  Worst worst;
  worst.add(1, 2, "half");
  worst.add(3, 2, "beyond");
  worst.add(0, 0, "exact");
  EXPECT_EQ(worst.finding().detail, "beyond");
}

TEST(Worst, NothingOfADeviceThatIsNotFiniteIsTolerated) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity(), kNaN = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [difference, tolerance] :
       {std::pair{kInfinity, kInfinity}, {kNaN, 1.0}, {0.0, kInfinity}, {kInfinity, 1.0}, {0.0, kNaN}}) {
    Worst worst;
    worst.add(difference, tolerance, "not finite");
    worst.add(1, 2, "tolerated");
    EXPECT_EQ(worst.finding().detail, "not finite") << difference << " " << tolerance;
    Worst after_a_leak;
    after_a_leak.add(5, 1, "leak");
    after_a_leak.add(difference, tolerance, "not finite");
    const Finding found = after_a_leak.finding();
    EXPECT_FALSE(std::isfinite(found.tolerance) && found.difference <= found.tolerance);
  }
}

TEST(SmallModel, NumbersAreExactInFp32AndWithinOne) {
  std::set<double> values;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const double x = number_of("row", i);
    EXPECT_EQ(static_cast<double>(static_cast<float>(x)), x);
    EXPECT_GE(x, -1);
    EXPECT_LT(x, 1);
    values.insert(x);
  }
  EXPECT_GT(values.size(), 990u);
  EXPECT_NE(number_of("row", 0), number_of("other row", 0));
}

TEST(SmallModel, TokensLieWithinTheirBounds) {
  std::set<std::int64_t> values;
  for (std::uint64_t i = 0; i < 1000; ++i) values.insert(token_of("row", i, 5, 15));
  EXPECT_EQ(*values.begin(), 5);
  EXPECT_EQ(*values.rbegin(), 14);
  EXPECT_EQ(values.size(), 10u);
}

}  // namespace
}  // namespace bench::harness
