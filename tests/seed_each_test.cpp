// LibTorch seeds its default generator from the system's randomness: without this a test would meet other numbers, and
// at times other verdicts, on every run.
#include <gtest/gtest.h>
#include <torch/types.h>
#include <torch/utils.h>

namespace {

class SeedEachTest : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo&) override { torch::manual_seed(1337); }
};

const bool registered = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new SeedEachTest);  // which it owns from now on
  return true;
}();

}  // namespace
