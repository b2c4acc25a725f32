#include "model/fused/rows.h"
#include "model/fused/work_stealing.h"
#include "tests/kept_threads.h"

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace bench::model {
namespace {

class Threads : public testing::Test {
  KeptThreads threads_;
};

TEST_F(Threads, AKernelsRowsAreSharedAmongAll) {
  at::set_num_threads(2);
  std::mutex mutex;
  std::set<int> threads;
  in_parallel(1000, 65536, [&](std::int64_t, std::int64_t) {
    const std::lock_guard lock(mutex);
    threads.insert(at::get_thread_num());
  });
  EXPECT_EQ(threads.size(), 2u);
}

TEST_F(Threads, EachPieceIsDoneOnce) {
  for (const int threads : {1, 2, 3, 5})
    for (const std::int64_t pieces : {0, 1, 2, 7, 1000}) {
      at::set_num_threads(threads);
      std::vector<std::atomic<int>> done(static_cast<std::size_t>(pieces));
      for_each_stealing(pieces, [&](std::int64_t piece) { ++done[static_cast<std::size_t>(piece)]; });
      for (const auto& times : done) EXPECT_EQ(times, 1) << threads << " " << pieces;
    }
}

TEST_F(Threads, OneThatIsHeldUpLosesItsPiecesToTheOthers) {
  at::set_num_threads(2);
  constexpr std::int64_t kPieces = 100;
  std::atomic<std::int64_t> done = 0;
  bool waited_in_vain = false;
  for_each_stealing(kPieces, [&](std::int64_t piece) {
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (piece == 0 && done < kPieces - 1 && !waited_in_vain) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      waited_in_vain = std::chrono::steady_clock::now() > patience;
    }
    ++done;
  });
  EXPECT_FALSE(waited_in_vain);
}

}  // namespace
}  // namespace bench::model
