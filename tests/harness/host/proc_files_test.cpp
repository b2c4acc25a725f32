#include "harness/host/proc_files.h"

#include "tests/temporary_folder.h"

#include <sstream>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

std::optional<std::string> value_in(const std::string& text, const std::string& name) {
  std::istringstream in(text);
  return named_value(in, name);
}

TEST(NamedValue, IsThatOfTheWholeName) {
  const std::string text = "MemFreeable: 1 kB\nMemFree:\t 2 kB \nPRETTY_NAME=\"A system\"\nsome avg10=0.50 avg60=1\n";
  EXPECT_EQ(value_in(text, "MemFree"), "2 kB");
  EXPECT_EQ(value_in(text, "PRETTY_NAME"), "A system");
  EXPECT_EQ(value_in(text, "some avg10"), "0.50 avg60=1");
  EXPECT_EQ(value_in(text, ""), "MemFreeable: 1 kB");
  EXPECT_EQ(value_in("empty:\n", "empty"), "");
  EXPECT_FALSE(value_in(text, "Mem"));
  EXPECT_FALSE(value_in("", ""));
}

TEST(ProcMemory, IsWhatTheFileSaysInBytes) {
  const tests::TemporaryFolder folder;
  const auto file = folder.write("status", "Name:\tbench\nVmHWM:\t  1234 kB\nVmHWMx:\t9 kB\n");
  EXPECT_TRUE(proc_memory(file, "VmHWM"));
  EXPECT_EQ(proc_memory(file, "VmHWM").bytes, 1234 * 1024);
}

TEST(ProcMemory, OfAFileThatCannotBeReadOrHasNoSuchLineIsMissing) {
  const tests::TemporaryFolder folder;
  for (const char* text : {"Name:\tbench\n", "VmHWM:\t0 kB\n", "VmHWM:\n", "VmHWM:\tmuch\n", "VmHWM:\t-5 kB\n", ""})
    EXPECT_EQ(proc_memory(folder.write("status", text), "VmHWM").missing,
              "no VmHWM in " + (folder.path() / "status").string())
        << text;
  EXPECT_FALSE(proc_memory(folder.path() / "not-there", "VmHWM"));
}

}  // namespace
}  // namespace bench::harness
