#include "tests/cli/program.h"

#include <regex>
#include <set>

namespace bench::harness {
namespace {

TEST(Cli, UsageMistakesExitTwo) {
  EXPECT_EQ(bench("").exit_code, 2);
  EXPECT_EQ(bench("fly").exit_code, 2);
  EXPECT_EQ(bench("run --no-such-option").exit_code, 2);
  EXPECT_EQ(bench("--help").exit_code, 0);
  EXPECT_EQ(bench("run --help").exit_code, 0);
  EXPECT_EQ(bench("--version").exit_code, 0);
}

TEST(Cli, EveryVerbOfTheReadmeExists) {
  const std::string readme = read_file(BENCH_SOURCE_DIR "/README.md"), help = bench("--help").text;
  const std::regex use("`bench ([a-z]+)");
  std::set<std::string> verbs;
  for (std::sregex_iterator one(readme.begin(), readme.end(), use), end; one != end; ++one) verbs.insert((*one)[1]);
  EXPECT_GT(verbs.size(), 10u);
  for (const auto& verb : verbs) EXPECT_TRUE(contains(help, "\n  " + verb + " ")) << verb;
}

TEST(Cli, CheckAcceptsEveryFileOfTheRepository) {
  const Outcome outcome = bench("check suites/*.yaml configs/*.yaml configs/machines/*.yaml");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.text;
  EXPECT_TRUE(contains(
      outcome.text, "configs/model_medium.yaml: model config, 397722624 parameters, 364954624 without the embedding"));
}

TEST(Cli, CheckNamesFileLineAndColumn) {
  const TemporaryFolder folder;
  const auto file = folder.write(
      "t.yaml", "train:\n  batch_size: 16\n  gradient_accumulation_steps: 4\n  effective_batch_size: 60\n");
  const Outcome outcome = bench("check '" + file.string() + "'");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_TRUE(
      contains(outcome.text,
               "t.yaml:4:25: train.effective_batch_size: 60 is not batch_size 16 x gradient_accumulation_steps 4 = 64"))
      << outcome.text;
}

TEST(Cli, BuiltInFilesServeWhereThereIsNoRepository) {
  const TemporaryFolder folder;
  EXPECT_EQ(bench("check suites/quick.yaml configs/model_large.yaml", folder.path().string()).exit_code, 0);
}

TEST(Cli, ListShowsEveryTable) {
  const Outcome outcome = bench("list");
  for (const char* part : {"decode", "peak_memory", "at_most", "cpu", "markdown", "suites/quick.yaml"})
    EXPECT_TRUE(contains(outcome.text, part)) << part;
  EXPECT_TRUE(contains(bench("list decode").text, "prompt_tokens"));
  EXPECT_TRUE(contains(bench("list metrics").text, "bits_per_byte"));
  EXPECT_EQ(bench("list dance").exit_code, 2);
}

TEST(Cli, EnvShowsOneOpenMpRuntime) {
  const Json json = Json::parse(bench("env --json").text);
#ifndef __APPLE__
  ASSERT_EQ(json["openmp_runtimes"].size(), 1u) << json["openmp_runtimes"];
  EXPECT_TRUE(contains(json["openmp_runtimes"][0].get<std::string>(), "torch/lib/libgomp.so.1"));
#endif
  EXPECT_GT(json["memory_bytes"].get<std::int64_t>(), 0);
  EXPECT_GT(json["threads"].get<std::int64_t>(), 0);
}

}  // namespace
}  // namespace bench::harness
