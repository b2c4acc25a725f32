// Whatever goes wrong with the file system or with memory while a run trains, its data are written or a checkpoint is
// saved: afterwards the run can be finished, with the bits of one that nothing happened to, and nothing is left behind.
#include "harness/core/hash.h"
#include "tests/faults/forked.h"
#include "tests/temporary_folder.h"

#include <gtest/gtest.h>

namespace bench::tests {
namespace {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

// Micro-batches of one sequence: where memory runs out, larger ones would make way for smaller ones, which round
// otherwise.
const Arguments kTrain{"train", "--model", "model.yaml",         "--training", "training.yaml", "--device", "cpu",
                       "--set", "seed=3",  "--micro-batch-size", "1"};

Arguments with(Arguments arguments, const std::string& option) {
  arguments.push_back(option);
  return arguments;
}

std::string korean_paragraphs(int count, int first) {
  std::string text;
  for (int i = first; i < first + count; ++i)
    text += "제" + std::to_string(i) + "조 이 법은 국민의 " + std::to_string(i * 7) + "가지 권리를 정한다.\n";
  return text;
}

/// A folder with a text, a tokenizer and configs of a tiny run.
class SlowTrainFaults : public testing::Test {
 protected:
  SlowTrainFaults() {
    folder_.write("train.txt", korean_paragraphs(200, 0));
    folder_.write("valid.txt", korean_paragraphs(20, 1000));
    folder_.write("model.yaml",
                  "vocab_size: 300\nhidden_size: 16\nnum_layers: 1\nnum_heads: 2\nnum_kv_heads: 1\n"
                  "intermediate_size: 24\nmax_seq_length: 16\ndropout: 0.1\n");
    folder_.write("training.yaml",
                  "data: {train_path: train.txt, valid_path: valid.txt, tokenizer_model: tokenizer.model}\n"
                  "train: {batch_size: 2, effective_batch_size: 2, gradient_accumulation_steps: 1, max_seq_length: 16,"
                  " max_steps: 4, warmup_steps: 1, save_steps: 2, eval_steps: 2, logging_steps: 1,"
                  " output_dir: run, num_workers: 0, mixed_precision: false}\n");
    const Ended tokenizer = run_undisturbed(
        path(), {"tokenizer", "train", "--text", "train.txt", "--out", "tokenizer.model", "--vocab-size", "300"});
    EXPECT_EQ(tokenizer.exit_code, 0) << tokenizer.text;
    const Ended whole = run_undisturbed(path(), kTrain);
    EXPECT_EQ(whole.exit_code, 0) << whole.text;
    wanted_ = weights();
    forget_run();
  }

  const fs::path& path() const { return folder_.path(); }
  std::string weights() const { return harness::xxh128_file(path() / "run/final/model.safetensors"); }

  /// Removes the run and the token caches: whatever is not among the files above.
  void forget_run() const {
    for (const auto& entry : fs::directory_iterator(path())) {
      const std::string name = entry.path().filename();
      if (name != "tmp" && name != "train.txt" && name != "valid.txt" && name != "tokenizer.model" &&
          name != "model.yaml" && name != "training.yaml")
        fs::remove_all(entry.path());
    }
  }

  /// Finishes the run as a user would after that end.
  void finish(const Ended& ended) const {
    if (ended.exit_code == 0) return;
    Ended again = run_undisturbed(path(), with(kTrain, "--resume"));
    if (again.exit_code == 0) return;
    ASSERT_EQ(again.exit_code, 2) << again.text;  // no checkpoint yet
    again = run_undisturbed(path(), kTrain);
    ASSERT_EQ(again.exit_code, 0) << again.text;
  }

  void expect_nothing_left() const {
    EXPECT_TRUE(fs::is_empty(path() / "tmp"));
    for (const auto& entry : fs::recursive_directory_iterator(path()))
      EXPECT_NE(entry.path().filename().string()[0], '.') << entry.path();
  }

  /// One run with that fault, finished. Returns whether the fault was met.
  bool survives(Fault fault, std::int64_t n) {
    SCOPED_TRACE(kFaultNames[static_cast<int>(fault)] + (" at " + std::to_string(n)));
    forget_run();
    const Ended ended = run_with_fault(path(), kTrain, fault, n);
    SCOPED_TRACE(ended.text);
    finish(ended);
    if (HasFatalFailure()) return false;
    EXPECT_EQ(weights(), wanted_);
    expect_nothing_left();
    return ended.reached(n);
  }

  void expect_every_one_survived(Fault fault, std::int64_t step = 1) {
    std::int64_t n = 1;
    while (!HasFailure() && survives(fault, n)) n += step;
    EXPECT_GT(n, 50) << "the faults were not met";
  }

 private:
  TemporaryFolder folder_;
  std::string wanted_;
};

TEST_F(SlowTrainFaults, NoSpaceAtAnyFileOperationLosesNothing) { expect_every_one_survived(Fault::kNoSpace); }
// Nothing is done in another way for another error, so fewer will do.
TEST_F(SlowTrainFaults, InputOutputErrorAtEveryFourthFileOperationLosesNothing) {
  expect_every_one_survived(Fault::kInputOutput, 4);
}
TEST_F(SlowTrainFaults, KillAtAnyFileOperationLosesNothing) { expect_every_one_survived(Fault::kKill); }

TEST_F(SlowTrainFaults, NoMemoryAtSampledAllocationsLosesNothing) {
  const Ended whole = run_with_fault(path(), kTrain, Fault::kNoMemory, 1'000'000'000);
  ASSERT_GT(whole.operations, 1000);
  for (int i = 0; i < 40; ++i) survives(Fault::kNoMemory, 1 + i * whole.operations / 40);
}

}  // namespace
}  // namespace bench::tests
