#include "harness/host/command.h"

#include "harness/core/clock.h"
#include "harness/core/error.h"
#include "harness/host/process_tree.h"
#include "tests/temporary_folder.h"

#include <csignal>
#include <unistd.h>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

CommandResult shell(const std::string& line, double timeout_s = 30) {
  return run_command({.arguments = {"/bin/sh", "-c", line}, .timeout_s = timeout_s});
}

TEST(RunCommand, TellsHowAProgramEndedAndWhatItPrinted) {
  const CommandResult result = shell("echo one; echo two >&2; exit 3");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.out.whole(), "one\n");
  EXPECT_EQ(result.err.whole(), "two\n");
  EXPECT_EQ(shell("kill -SEGV $$").signal, 11);
  EXPECT_THROW(run_command({.arguments = {"/no/such/program"}}), Error);
}

TEST(RunCommand, RunsWhereAndWithWhatItIsTold) {
  const tests::TemporaryFolder folder;
  const CommandResult result = run_command({.arguments = {"/bin/sh", "-c", "pwd; echo $COLOUR; cat"},
                                            .folder = folder.path().string(),
                                            .environment = {"COLOUR=blue"}});  // and cat finds an empty stdin
  EXPECT_EQ(result.out.whole(), std::filesystem::canonical(folder.path()).string() + "\nblue\n");
  EXPECT_THROW(run_command({.arguments = {"true"}, .folder = "/no/such/folder"}), Error);
}

TEST(RunCommand, TimeIsThatOfTheProgram) {
  EXPECT_GE(shell("sleep 0.3").wall_s, 0.3);
  EXPECT_LT(shell("sleep 0.3").cpu_s, 0.2);
  EXPECT_GE(shell("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done").cpu_s, 0.05);
}

TEST(RunCommand, AtItsTimeLimitNothingOfItIsLeftRunning) {
  const double begin = now_s();
  const CommandResult result = shell("sleep 61 & (setsid sleep 62 &) ; sleep 63", 0.3);
  EXPECT_TRUE(result.timed_out);
  EXPECT_LT(now_s() - begin, 20);
  EXPECT_TRUE(descendants(::getpid()).empty());
}

TEST(RunCommand, WhatForksAndLeavesIsEndedAndNamed) {
  const CommandResult result = shell("(setsid sleep 64 >/dev/null 2>&1 &); sleep 0.2");
  EXPECT_EQ(result.exit_code, 0);
#ifndef __APPLE__  // where such a process is nobody's
  ASSERT_EQ(result.left_behind.size(), 1u);
  EXPECT_EQ(result.left_behind[0].find("sleep ("), 0u) << result.left_behind[0];
#endif
  EXPECT_TRUE(descendants(::getpid()).empty());
}

TEST(RunCommand, MemoryIsThatOfAllProcessesTogether) {
  // Each dd holds a block of 80 MB while nobody reads it.
  const std::string one = "dd if=/dev/zero bs=80000000 count=1 2>/dev/null | sleep 0.5";
  EXPECT_GT(shell(one).peak_bytes, 80e6);
  EXPECT_LT(shell(one).peak_bytes, 130e6);
  EXPECT_GT(shell("(" + one + ") & (" + one + ") & wait").peak_bytes, 160e6);
}

TEST(RunCommand, MemoryOfWhichAPartCouldNotBeReadIsUnread) {
  CommandResult result;
  add_look({{.id = 7, .name = "dd", .resident = {100, ""}}, {.id = 8, .name = "cc", .resident = {50, ""}}}, result);
  EXPECT_EQ(result.peak_bytes, 150);
  EXPECT_EQ(result.peak_unread, "");
  add_look({{.id = 8, .name = "cc", .resident = MemoryReading::unread("no VmRSS in status")}}, result);
  add_look({{.id = 7, .name = "dd", .resident = {100, ""}}}, result);  // what can be read again tells nothing of then
  EXPECT_EQ(result.peak_unread, "process 8 (cc): no VmRSS in status");
}

TEST(RunCommand, KeepsTheBeginningAndTheEndOfLongOutput) {
  const CommandResult result = shell("echo first; head -c 100000000 /dev/zero; echo; echo last");
  EXPECT_TRUE(result.out.cut);
  EXPECT_EQ(result.out.beginning.substr(0, 6), "first\n");
  EXPECT_EQ(result.out.tail(20), "last\n");
  EXPECT_LE(result.out.beginning.size() + result.out.end.size(), 3 * Output::kMost);
  EXPECT_EQ(shell("echo one; echo two").out.tail(5), "two\n");
  EXPECT_EQ(shell("true").out.tail(5), "");
}

TEST(RunCommand, WhatEndsByItselfJustAfterWasNotLeftRunning) {
  EXPECT_TRUE(shell("(sleep 0.2 >/dev/null 2>&1 &); exit 0").left_behind.empty());
}

TEST(RunCommand, ProgramsGetTheSignalsThatThisOneIgnores) {
  std::signal(SIGXFSZ, SIG_IGN);
  EXPECT_EQ(shell("kill -XFSZ $$").signal, SIGXFSZ);
  std::signal(SIGXFSZ, SIG_DFL);
}

}  // namespace
}  // namespace bench::harness
