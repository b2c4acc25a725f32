#include "harness/host/process_tree.h"

#include "tests/temporary_folder.h"

#include <unistd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace bench::harness {
namespace {

#ifdef __linux__
constexpr pid_t kNobody = 1 << 30;  // more than Linux numbers
constexpr const char* kRunning = "Name:\tdd\nState:\tR (running)\n";

std::string stat_line(const char* flags) { return std::string("7 (a) b) R 1 2 3 0 -1 ") + flags + " 0 0\n"; }

TEST(ReadProcess, TellsWhatItHolds) {
  const tests::TemporaryFolder folder;
  folder.write("status", fmt::format("{}VmHWM:\t  30 kB\nVmRSS:\t  20 kB\n", kRunning));
  const auto process = read_process(folder.path(), kNobody);
  ASSERT_TRUE(process);
  EXPECT_EQ(process->name, "dd");
  EXPECT_TRUE(process->resident);
  EXPECT_EQ(process->resident.bytes, 20 * 1024);
  EXPECT_EQ(process->peak_resident_bytes, 30 * 1024);
}

TEST(ReadProcess, OneThatHasEndedHoldsNothing) {
  const tests::TemporaryFolder folder;
  EXPECT_FALSE(read_process(folder.path() / "gone", kNobody));
  folder.write("status", "Name:\tdd\nState:\tZ (zombie)\n");
  EXPECT_FALSE(read_process(folder.path(), kNobody));
}

TEST(ReadProcess, OneThatIsThereAndTellsNoMemoryIsUnread) {
  const tests::TemporaryFolder folder;
  const std::string file = (folder.path() / "status").string();
  EXPECT_EQ(read_process(folder.path(), kNobody)->resident.missing, "cannot read " + file);
  EXPECT_EQ(read_process(folder.path() / "hidden", ::getpid())->resident.missing,
            "cannot read " + (folder.path() / "hidden" / "status").string());
  for (const char* line : {"", "VmRSS:\n", "VmRSS:\tmuch\n"}) {
    folder.write("status", std::string(kRunning) + line);
    EXPECT_EQ(read_process(folder.path(), kNobody)->resident.missing, "no VmRSS in " + file) << line;
  }
  folder.write("stat", stat_line("4194304"));
  EXPECT_FALSE(read_process(folder.path(), kNobody)->resident);
}

TEST(ReadProcess, OneThatIsEndingHasGivenItsMemoryBack) {
  const tests::TemporaryFolder folder;
  folder.write("status", kRunning);
  folder.write("stat", stat_line("4194308"));  // with PF_EXITING
  const auto process = read_process(folder.path(), kNobody);
  ASSERT_TRUE(process);
  EXPECT_TRUE(process->resident);
  EXPECT_EQ(process->resident.bytes, 0);
}
#endif

}  // namespace
}  // namespace bench::harness
