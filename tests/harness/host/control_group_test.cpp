#include "harness/host/control_group.h"

#include "tests/temporary_folder.h"

#include <cmath>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

/// A file system of control groups.
class ControlGroup : public testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories((folder_.path() / "mount" / file).parent_path());
    folder_.write("mount/" + file, text);
  }
  ControlGroupLimits limits(const std::string& membership) {
    return control_group_limits(folder_.path() / "mount", folder_.write("membership", membership));
  }

  tests::TemporaryFolder folder_;
};

TEST_F(ControlGroup, WithoutFilesThereIsNoLimit) {
  for (const char* membership : {"", "0::/\n", "0::/a/b\n4:memory:/c\n", "nonsense"}) {
    EXPECT_TRUE(std::isinf(limits(membership).processors));
    EXPECT_TRUE(std::isinf(limits(membership).memory_bytes));
  }
}

TEST_F(ControlGroup, TheTightestOfAllGroupsAroundCounts) {
  write("cpu.max", "max 100000\n");
  write("a/cpu.max", "150000 100000\n");
  write("a/b/cpu.max", "max 100000\n");
  write("a/memory.max", "max\n");
  write("a/b/memory.max", "8000000000\n");
  write("a/b/memory.current", "3000000000\n");
  write("a/b/memory.stat", "anon 2000000000\nfile 900000000\ninactive_file 400000000\n");
  EXPECT_DOUBLE_EQ(limits("0::/a/b\n").processors, 1.5);
  EXPECT_DOUBLE_EQ(limits("0::/a/b\n").memory_bytes, 8e9 - 2.6e9);
  EXPECT_TRUE(std::isinf(limits("0::/\n").processors));
  EXPECT_DOUBLE_EQ(limits("0::/a/not-seen-from-here\n").processors, 1.5);
}

TEST_F(ControlGroup, ALimitWhoseUseCannotBeReadLeavesNobodyKnowsWhat) {
  write("memory.max", "8000000000\n");
  const ControlGroupLimits used_is_missing = limits("0::/\n");
  EXPECT_FALSE(used_is_missing.memory_missing.empty());
  EXPECT_FALSE(within(used_is_missing, {1'000'000, ""}));
  write("memory.current", "3000000000\n");
  EXPECT_NE(limits("0::/\n").memory_missing.find("no inactive_file in "), std::string::npos);
  write("memory.stat", "inactive_file 0\n");
  EXPECT_EQ(within(limits("0::/\n"), {7'000'000'000, ""}).bytes, 5'000'000'000);
  EXPECT_EQ(within(limits("0::/\n"), {1'000'000, ""}).bytes, 1'000'000);
  EXPECT_EQ(within(limits("0::/\n"), MemoryReading::unread("no MemAvailable")).missing, "no MemAvailable");
  write("memory.max", "9223372036854771712\n");  // no limit, as version 1 has it
  EXPECT_TRUE(std::isinf(limits("0::/\n").memory_bytes));
}

TEST_F(ControlGroup, AQuotaWithoutItsPeriodIsNoQuotaOfNothing) {
  write("cpu.cfs_quota_us", "50000\n");
  EXPECT_TRUE(std::isinf(limits("0::/\n").processors));
}

TEST_F(ControlGroup, VersionOneHasAHierarchyForEachController) {
  write("cpu,cpuacct/docker/cpu.cfs_quota_us", "50000\n");
  write("cpu,cpuacct/docker/cpu.cfs_period_us", "100000\n");
  write("cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  write("memory/docker/memory.limit_in_bytes", "1000\n");
  write("memory/docker/memory.usage_in_bytes", "1500\n");
  write("memory/docker/memory.stat", "total_inactive_file 100\n");
  const ControlGroupLimits found = limits("4:memory:/docker\n2:cpu,cpuacct:/docker\n");
  EXPECT_DOUBLE_EQ(found.processors, 0.5);
  EXPECT_DOUBLE_EQ(found.memory_bytes, 0);  // used up, not less than nothing
}

}  // namespace
}  // namespace bench::harness
