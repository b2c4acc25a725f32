// `bench selftest`, and what `bench run` asks of it.
#include "tests/harness/cli/program.h"

namespace bench::harness {
namespace {

TEST(SelfTestVerb, ShowsATableOfProbesAndAClosingLine) {
  const Outcome outcome = bench("selftest --device cpu");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
  for (const char* text : {"probe ", "tolerance", "masked_fill_on_view", "self-test of cpu passed: 16 probes in "})
    EXPECT_TRUE(contains(outcome.text, text)) << text << "\n" << outcome.text;
  EXPECT_FALSE(contains(outcome.text, "failed")) << outcome.text;
}

TEST(SelfTestVerb, WritesJsonToAFileOrStandardOutput) {
  const TemporaryFolder folder;
  const auto file = (folder.path() / "selftest.json").string();
  const Outcome quiet = bench("selftest --device portable --json --out '" + file + "'");
  EXPECT_EQ(quiet.exit_code, 0);
  EXPECT_EQ(quiet.text, "");
  const Json written = Json::parse(read_file(file));
  EXPECT_EQ(written.at("schema"), "bench-selftest/1");
  EXPECT_EQ(written.at("device"), "portable");
  EXPECT_EQ(written.at("passed"), true);
  EXPECT_EQ(written.at("probes").size(), 16u);
  EXPECT_EQ(Json::parse(bench("selftest --device cpu --json").text).at("device"), "cpu");
}

TEST(SelfTestVerb, RefusesADeviceThatIsNone) {
  const Outcome outcome = bench("selftest --device abacus");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_TRUE(contains(outcome.text, "--device: unknown device 'abacus'")) << outcome.text;
}

TEST_F(RunTest, TheProcessorIsTimedWithoutASelfTest) {
  for (const char* option : {"", "--no-selftest"}) {
    ASSERT_EQ(run(suite("{metric: cached_uncached_mismatches, at_most: 0, unit: tokens}"), option).exit_code, 0);
    EXPECT_FALSE(report().at("environment").contains("selftest"));
  }
}

}  // namespace
}  // namespace bench::harness
