// Whatever goes wrong while a suite runs or its report is written: what is then on disk never reads as passed unless
// every case passed, an exit code says so, and the same command afterwards does its work.
#include "harness/core/fields.h"
#include "harness/core/files.h"
#include "tests/faults/forked.h"
#include "tests/temporary_folder.h"

#include <map>

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

  /// Lets a run that passed, with everything in it, have been there before.
  void leave_an_earlier_run(const std::vector<std::string>& command) {
    ASSERT_EQ(run_undisturbed(path(), command).exit_code, 0);
    for (const char* name : kWritten) earlier_[name] = harness::read_file(path() / "out" / name) + "\n";
  }

  void put_back_the_earlier_run() {
    fs::remove_all(path() / "out");
    for (const auto& [name, text] : earlier_) folder_.write("out/" + name, text);
  }

  /// What was there before may stay only where a run ended before it came to writing anything.
  void expect_no_pass_of_before(const Ended& ended) const {
    for (const auto& [name, text] : earlier_) {
      const fs::path file = path() / "out" / name;
      if (!fs::exists(file) || harness::read_file(file) != text) continue;
      EXPECT_NE(ended.exit_code, 0);
      for (const char* later : {"out/report.", "decode ..."})
        EXPECT_EQ(ended.text.find(later), std::string::npos) << name << " is that of the run before";
    }
  }

  void expect_nothing_left() const {
    EXPECT_TRUE(fs::is_empty(path() / "tmp"));
    for (const auto& entry : fs::directory_iterator(path() / "out"))
      EXPECT_NE(entry.path().filename().string()[0], '.') << entry.path();
  }

  /// The command with that fault, and then without. Returns whether the fault was met.
  bool survives(const std::vector<std::string>& command, Fault fault, std::int64_t n) {
    SCOPED_TRACE(kFaultNames[static_cast<int>(fault)] + (" at " + std::to_string(n)));
    put_back_the_earlier_run();
    const Ended ended = run_with_fault(path(), command, fault, n);
    SCOPED_TRACE(ended.text);
    expect_no_false_pass(ended);
    expect_no_pass_of_before(ended);
    const Ended again = run_undisturbed(path(), command);
    EXPECT_EQ(again.exit_code, 0) << again.text;
    expect_no_false_pass(again);
    expect_nothing_left();
    return ended.reached(n);
  }

  std::int64_t expect_every_one_survived(const std::vector<std::string>& command, Fault fault, std::int64_t step = 1) {
    std::int64_t n = 1;
    while (!testing::Test::HasFailure() && survives(command, fault, n)) n += step;
    return n;
  }

  TemporaryFolder folder_;
  static constexpr const char* kWritten[] = {"report.json", "report.xml"};
  std::map<std::string, std::string> earlier_;  // text of each file; empty: there was no run before
  const std::vector<std::string> run_{"run", "suite.yaml", "--out", "out", "--format", "json,junit"};
};

TEST_F(SlowRunFaults, NoSpaceAtAnyFileOperationIsNeverAPass) {
  leave_an_earlier_run(run_);
  EXPECT_GT(expect_every_one_survived(run_, Fault::kNoSpace), 20);
}

// Nothing is done in another way for another error, so fewer will do.
TEST_F(SlowRunFaults, InputOutputErrorAtEveryFourthFileOperationIsNeverAPass) {
  leave_an_earlier_run(run_);
  EXPECT_GT(expect_every_one_survived(run_, Fault::kInputOutput, 4), 20);
}

TEST_F(SlowRunFaults, NoMemoryAtSampledAllocationsIsNeverAPass) {
  leave_an_earlier_run(run_);
  const Ended whole = run_with_fault(path(), run_, Fault::kNoMemory, 1'000'000'000);
  ASSERT_GT(whole.operations, 1000);
  for (int i = 0; i < 20; ++i) survives(run_, Fault::kNoMemory, 1 + i * whole.operations / 20);
}

TEST_F(SlowRunFaults, KillAtAnyFileOperationIsNeverAPass) {
  leave_an_earlier_run(run_);
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
