// Standard output: what doesn't arrive is an error.
#include "tests/harness/cli/program.h"

namespace bench::harness {
namespace {

/// Exit code and stderr of `bench ARGUMENTS REDIRECTION`, run by a shell.
Outcome redirected(const std::string& arguments, const std::string& redirection, const std::filesystem::path& folder) {
  const std::string command =
      "cd '" + folder.string() + "' && { '" BENCH_PROGRAM "' " + arguments + " 2>said; } " + redirection;
  const int status = std::system(command.c_str());
  return {WEXITSTATUS(status), read_file(folder / "said")};
}

TEST_F(RunTest, OutputThatDoesNotArriveIsAnError) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  ASSERT_EQ(run(suite("{metric: cached_uncached_mismatches, at_most: 0, unit: tokens}")).exit_code, 0);
  for (const char* arguments :
       {"verify out/report.json", "render out/report.json --out - --format json", "render out/report.json", "list",
        "check suite.yaml", "env", "--help", "--version", "compare out/report.json out/report.json --exact"}) {
    const Outcome outcome = redirected(arguments, ">/dev/full", folder_.path());
    EXPECT_EQ(outcome.exit_code, 3) << arguments;
    EXPECT_TRUE(contains(outcome.text, "bench: standard output: cannot be written")) << arguments << outcome.text;
  }
}

TEST_F(RunTest, AReaderThatGoesAwayIsNone) {
  for (const char* before : {"", "trap '' PIPE; "}) {  // such a shell's programs get an error instead of the signal
    const std::string command = std::string(before) + "{ '" BENCH_PROGRAM "' list metrics 2>'" +
                                (folder_.path() / "said").string() + "'; } | true";
    EXPECT_EQ(std::system(command.c_str()), 0);
    EXPECT_EQ(read_file(folder_.path() / "said"), "") << before;
  }
}

}  // namespace
}  // namespace bench::harness
