// Training as it is ended, killed, hindered and taken up again.
#include "tests/harness/cli/checkpoint.h"

#include <algorithm>

namespace bench::harness {
namespace {

namespace fs = std::filesystem;

class TrainTest : public CheckpointTest {
 protected:
  /// In a shell: starts a run that would take hours, and waits until `condition` holds of its folder.
  static std::string start(const std::string& condition, const std::string& options = "") {
    return "\"$BENCH\" " +
           train_arguments("run", "--set train.max_steps=1000000 --set train.logging_steps=1 " + options) +
           " >out 2>err & i=0; while ! " + condition +
           " && kill -0 $! && [ $i -lt 1200 ]; do sleep 0.05; i=$((i+1)); done; ";
  }
  /// The whole run, or what is left of it, up to a step.
  Outcome up_to(std::int64_t step, const std::string& output, const std::string& options = "") {
    return train(output, "--set train.max_steps=1000000 --set train.logging_steps=1 --max-steps " +
                             std::to_string(step) + " " + options);
  }
  std::string text(const std::string& file) { return read_file(folder_.path() / file); }
  bool exists(const std::string& file) { return fs::exists(folder_.path() / file); }
};

constexpr const char* kHasBegun = "[ -s run/metrics.jsonl ]";

// SIGHUP goes the same way, unless the tests themselves run under nohup.
TEST_F(TrainTest, ASignalEndsARunWithACheckpointThatGoesOnToTheSameBits) {
  for (const auto& [signal, code] : {std::pair{"INT", 130}, {"TERM", 143}}) {
    fs::remove_all(folder_.path() / "run");
    fs::remove_all(folder_.path() / "whole");
    EXPECT_EQ(shell(start(kHasBegun) + "kill -" + signal + " $!; wait $!"), code) << text("err");
    const std::string said = text("err");
    const std::size_t at = said.find("interrupted after step ");
    ASSERT_NE(at, std::string::npos) << said;
    const std::int64_t step = std::stoll(said.substr(at + std::string("interrupted after step ").size()));
    char name[32];
    std::snprintf(name, sizeof name, "run/step-%06ld", static_cast<long>(step));
    EXPECT_TRUE(contains(said, std::string("checkpoint ") + name + "; go on with --resume")) << said;
    EXPECT_TRUE(exists(std::string(name) + "/training_state.json"));
    EXPECT_FALSE(exists("run/final"));
    const Outcome resumed = up_to(step + 2, "run", "--resume"), whole = up_to(step + 2, "whole");
    ASSERT_EQ(resumed.exit_code, 0) << resumed.text;
    ASSERT_EQ(whole.exit_code, 0) << whole.text;
    EXPECT_EQ(text("run/final/model.safetensors"), text("whole/final/model.safetensors"));
  }
}

TEST_F(TrainTest, ASecondRunIsToldWhoTrainsThereAndAKilledOneFreesItsFolder) {
  const std::string second = "\"$BENCH\" " + train_arguments("run", "--overwrite --max-steps 1") + " >second 2>&1; ";
  EXPECT_EQ(shell(start("[ -d run/step-000002 ]", "--set train.save_steps=2") + second +
                  "echo $? >code; echo $! >pid; kill -KILL $!; wait $!"),
            137);
  EXPECT_EQ(text("code"), "2\n");
  const std::string pid = text("pid");
  EXPECT_TRUE(contains(text("second"), "run: is in use by process " + pid.substr(0, pid.size() - 1) + " on "))
      << text("second");
  EXPECT_TRUE(contains(text("second"), "hint: wait for it, end it")) << text("second");
  const Outcome resumed = up_to(3, "run", "--set train.save_steps=2 --resume");
  EXPECT_EQ(resumed.exit_code, 0) << resumed.text;
  for (const auto& entry : fs::directory_iterator(folder_.path() / "run"))
    EXPECT_FALSE(contains(entry.path().filename().string(), ".bench-")) << entry.path();
}

TEST_F(TrainTest, ResumeLeavesOutADamagedCheckpointAndSaysSo) {
  ASSERT_EQ(up_to(4, "run", "--set train.save_steps=2").exit_code, 0);
  folder_.write("run/final/training_state.json", "");
  const Outcome resumed = up_to(6, "run", "--set train.save_steps=2 --resume");
  EXPECT_EQ(resumed.exit_code, 0) << resumed.text;
  EXPECT_TRUE(contains(resumed.text, "left out, since it is not whole: run/final/training_state.json")) << resumed.text;
  EXPECT_TRUE(contains(resumed.text, "going on from run/step-000002")) << resumed.text;
  EXPECT_TRUE(contains(resumed.text, "6 steps")) << resumed.text;
}

TEST_F(TrainTest, ResumeListsWhatChangedAndGoesOnOnlyIfThatIsAccepted) {
  ASSERT_EQ(train("run", "--max-steps 2 --set train.learning_rate=0.003 --set train.min_lr=0").exit_code, 0);
  const std::string changed = "--max-steps 3 --set train.learning_rate=0.001 --set train.min_lr=0 --resume ";
  const Outcome refused = train("run", changed);
  EXPECT_EQ(refused.exit_code, 2) << refused.text;
  EXPECT_TRUE(contains(refused.text, "learning_rate 0.003 -> 0.001\n  hint: --accept-changes")) << refused.text;
  EXPECT_TRUE(exists("run/final"));
  const Outcome accepted = train("run", changed + "--accept-changes");
  EXPECT_EQ(accepted.exit_code, 0) << accepted.text;
  EXPECT_TRUE(contains(accepted.text, "changed since: train.learning_rate 0.003 -> 0.001\n")) << accepted.text;
  const Outcome another = train("run", changed + "--accept-changes --set seed=5");
  EXPECT_EQ(another.exit_code, 2) << another.text;
  EXPECT_TRUE(contains(another.text, "the run had another seed: seed 1337 -> 5")) << another.text;
  EXPECT_EQ(train("other", "--accept-changes").exit_code, 2);  // is for --resume
}

TEST_F(TrainTest, SavesThatGoOnFailingEndARunAndItsLogIsWhole) {
  const int code =
      shell("trap '' XFSZ; ulimit -f 20; \"$BENCH\" " +
            train_arguments("run", "--set train.save_steps=1 --set train.logging_steps=1") + " >out 2>err");
  EXPECT_EQ(code, 3) << text("err");
  EXPECT_TRUE(contains(text("err"), "run/step-000001: not saved: ")) << text("err");
  EXPECT_TRUE(contains(text("err"), "run/step-000005: cannot be saved, 5 times in a row: ")) << text("err");
  EXPECT_TRUE(contains(text("err"), "File too large")) << text("err");
  const std::string log = text("run/metrics.jsonl");
  EXPECT_EQ(std::ranges::count(log, '\n'), 5);
}

TEST_F(TrainTest, SizesThatOverflowAreRefused) {
  const Outcome outcome = train("run",
                                "--set train.effective_batch_size=9223372036854775807 --set train.batch_size=1 --set "
                                "train.gradient_accumulation_steps=9223372036854775807");
  EXPECT_EQ(outcome.exit_code, 2) << outcome.text;
  EXPECT_TRUE(contains(outcome.text, "gradient_accumulation_steps: 9223372036854775807 is too large")) << outcome.text;
}

}  // namespace
}  // namespace bench::harness
