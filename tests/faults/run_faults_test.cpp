// Whatever goes wrong while a suite runs or its report is written: what is then on disk never reads as passed unless
// every case passed, an exit code says so, and the same command afterwards does its work.
#include "harness/core/fields.h"
#include "harness/core/files.h"
#include "tests/faults/forked.h"
#include "tests/temporary_folder.h"

#include <gtest/gtest.h>

namespace bench::tests {
namespace {

namespace fs = std::filesystem;
using harness::Json;

class SlowRunFaults : public testing::Test {
 protected:
  SlowRunFaults() {
    folder_.write("model.yaml",
                  "vocab_size: 64\nhidden_size: 16\nnum_layers: 1\nnum_heads: 2\nnum_kv_heads: 1\n"
                  "intermediate_size: 24\nmax_seq_length: 32\ndropout: 0.0\n");
    folder_.write("suite.yaml",
                  "name: tiny\ndevice: cpu\ncases:\n"
                  "  - {name: decode, case: decode, model: model.yaml, prompt_tokens: 4, new_tokens: 4, rounds: 1,"
                  " compare_tokens: 4, budget_s: 1, gates: [{metric: cached_uncached_mismatches, at_most: 0,"
                  " unit: tokens}]}\n");
  }

  const fs::path& path() const { return folder_.path(); }

  /// Reads what is on disk as a user would.
  void expect_no_false_pass(const Ended& ended) const {
    const fs::path file = path() / "out/report.json";
    ASSERT_TRUE(ended.exit_code != 0 || fs::exists(file)) << ended.text;
    if (!fs::exists(file)) return;
    const Json report = Json::parse(harness::read_file(file));
    EXPECT_TRUE(ended.exit_code != 0 || report["exit_code"] == 0);
    if (report["exit_code"] != 0) return;
    ASSERT_EQ(report["cases"].size(), 1u);
    EXPECT_EQ(report["cases"][0]["status"], "ok");
    EXPECT_EQ(report["cases"][0]["gates"][0]["verdict"], "pass");
  }

  void expect_nothing_left() const {
    EXPECT_TRUE(fs::is_empty(path() / "tmp"));
    for (const auto& entry : fs::directory_iterator(path() / "out"))
      EXPECT_NE(entry.path().filename().string()[0], '.') << entry.path();
  }

  /// The command with that fault, and then without. Returns whether the fault was met.
  bool survives(const std::vector<std::string>& command, Fault fault, std::int64_t n) {
    SCOPED_TRACE(kFaultNames[static_cast<int>(fault)] + (" at " + std::to_string(n)));
    fs::remove_all(path() / "out");
    const Ended ended = run_with_fault(path(), command, fault, n);
    SCOPED_TRACE(ended.text);
    expect_no_false_pass(ended);
    const Ended again = run_undisturbed(path(), command);
    EXPECT_EQ(again.exit_code, 0) << again.text;
    expect_no_false_pass(again);
    expect_nothing_left();
    return ended.reached(n);
  }

  std::int64_t expect_every_one_survived(const std::vector<std::string>& command, Fault fault) {
    std::int64_t n = 1;
    while (!testing::Test::HasFailure() && survives(command, fault, n)) ++n;
    return n;
  }

  TemporaryFolder folder_;
  const std::vector<std::string> run_{"run", "suite.yaml", "--out", "out", "--format", "json,junit"};
};

TEST_F(SlowRunFaults, NoSpaceAtAnyFileOperationIsNeverAPass) {
  EXPECT_GT(expect_every_one_survived(run_, Fault::kNoSpace), 20);
}

TEST_F(SlowRunFaults, KillAtAnyFileOperationIsNeverAPass) {
  EXPECT_GT(expect_every_one_survived(run_, Fault::kKill), 20);
}

TEST_F(SlowRunFaults, FaultAtAnyFileOperationOfTheReportWritersIsAnErrorOrHarmless) {
  ASSERT_EQ(run_undisturbed(path(), run_).exit_code, 0);
  fs::rename(path() / "out/report.json", path() / "kept.json");
  const std::vector<std::string> render{"render", "kept.json", "--out",
                                        "out",    "--format",  "json,markdown,html,junit,csv"};
  for (const Fault fault : {Fault::kNoSpace, Fault::kInputOutput, Fault::kKill})
    EXPECT_GT(expect_every_one_survived(render, fault), 20);
}

}  // namespace
}  // namespace bench::tests
