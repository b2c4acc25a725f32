// Whatever goes wrong with the file system while a tokenizer is trained: the file is the one from before or the whole
// new one, an exit code says which, and the same command afterwards does its work.
#include "harness/core/hash.h"
#include "tests/faults/forked.h"
#include "tests/temporary_folder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace bench::tests {
namespace {

namespace fs = std::filesystem;

class SlowTokenizerFaults : public testing::TestWithParam<Fault> {
 protected:
  SlowTokenizerFaults() {
    std::string text;
    for (int i = 0; i < 200; ++i) text += fmt::format("제{}조 이 법은 국민의 {}가지 권리를 정한다.\n", i, 7 * i);
    folder_.write("train.txt", text);
    const Ended whole = run_undisturbed(path(), kCommand);
    EXPECT_EQ(whole.exit_code, 0) << whole.text;
    wanted_ = tokenizer();
  }

  const fs::path& path() const { return folder_.path(); }
  std::string tokenizer() const { return harness::xxh128_file(path() / "tokenizer.model"); }

  void expect_nothing_left() const {
    EXPECT_TRUE(fs::is_empty(path() / "tmp"));
    for (const auto& entry : fs::directory_iterator(path()))
      EXPECT_NE(entry.path().filename().string()[0], '.') << entry.path();
  }

  /// Returns whether the fault was met.
  bool survives(Fault fault, std::int64_t n) {
    SCOPED_TRACE(kFaultNames[static_cast<int>(fault)] + (" at " + std::to_string(n)));
    folder_.write("tokenizer.model", "of before");
    const std::string before = tokenizer();
    const Ended ended = run_with_fault(path(), kCommand, fault, n);
    SCOPED_TRACE(ended.text);
    if (ended.exit_code == 0)
      EXPECT_EQ(tokenizer(), wanted_);
    else
      EXPECT_TRUE(tokenizer() == before || tokenizer() == wanted_);
    EXPECT_EQ(run_undisturbed(path(), kCommand).exit_code, 0);
    EXPECT_EQ(tokenizer(), wanted_);
    expect_nothing_left();
    return ended.reached(n);
  }

  static inline const std::vector<std::string> kCommand{"tokenizer", "train",           "--text",       "train.txt",
                                                        "--out",     "tokenizer.model", "--vocab-size", "300"};

 private:
  TemporaryFolder folder_;
  std::string wanted_;
};

TEST_P(SlowTokenizerFaults, AtAnyFileOperationTheTokenizerIsTheOldOrTheNew) {
  std::int64_t n = 1;
  while (!HasFailure() && survives(GetParam(), n)) ++n;
  EXPECT_GT(n, 5) << "the faults were not met";
}

INSTANTIATE_TEST_SUITE_P(Faults, SlowTokenizerFaults,
                         testing::Values(Fault::kNoSpace, Fault::kInputOutput, Fault::kKill));

}  // namespace
}  // namespace bench::tests
