#include "harness/core/process.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/signals.h"
#include "tests/temporary_folder.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

TEST(Process, ReportsExitCodeSignalAndTimeout) {
  EXPECT_EQ(run_process({"sh", "-c", "exit 7"}, 10).exit_code, 7);
  EXPECT_EQ(run_process({"sh", "-c", "kill -SEGV $$"}, 10).signal, SIGSEGV);
  const ProcessResult slow = run_process({"sleep", "60"}, 0.1);
  EXPECT_TRUE(slow.timed_out);
  EXPECT_EQ(slow.signal, SIGKILL);
  EXPECT_THROW(run_process({"/no/such/program"}, 10), Error);
}

TEST(Process, AStarterThatIgnoresItsChildrensEndsHidesNone) {
  const pid_t us = ::fork();
  if (us == 0) {
    std::signal(SIGCHLD, SIG_IGN);
    ::_exit(run_process({"sh", "-c", "exit 7"}, 10).exit_code);
  }
  int status = 0;
  ::waitpid(us, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

TEST(Process, TheEnvironmentIsOursButForWhatIsGiven) {
  ::setenv("BENCH_TEST", "ours", 1);
  const auto exit_code = [](const std::string& test, const std::vector<std::string>& given) {
    return run_process({"sh", "-c", "test " + test}, 10, false, {}, given).exit_code;
  };
  EXPECT_EQ(exit_code("$BENCH_TEST = ours", {}), 0);
  EXPECT_EQ(exit_code("$BENCH_TEST = theirs -a -n \"$PATH\"", {"BENCH_TEST=theirs"}), 0);
}

TEST(Process, WhoeverHoldsEndingSignalsCleansUpBeforeTheyEndIt) {
  const tests::TemporaryFolder folder;
  const std::filesystem::path begun = folder.path() / "begun", cleaned = folder.path() / "cleaned";
  const pid_t us = ::fork();
  if (us == 0) {
    std::signal(SIGTERM, SIG_DFL);
    {
      const EndingSignals signals;
      run_process({"sh", "-c", "touch " + begun.string() + "; exec sleep 60"}, 60);
      write_file_atomically(cleaned, "");
    }
    ::_exit(0);
  }
  while (!std::filesystem::exists(begun)) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ::kill(us, SIGTERM);
  int status = 0;
  ::waitpid(us, &status, 0);
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
  EXPECT_TRUE(std::filesystem::exists(cleaned));
}

TEST(Process, OneThatWasAskedToEndSaysSoHoweverItEnded) {
  const tests::TemporaryFolder folder;
  const std::filesystem::path begun = folder.path() / "begun";
  EXPECT_FALSE(run_process({"true"}, 10).ended_with_us);
  const pid_t us = ::fork();
  if (us == 0) {
    std::signal(SIGTERM, SIG_DFL);
    const EndingSignals signals;
    const ProcessResult result = run_process(
        {"sh", "-c", "trap 'exit 0' TERM; touch " + begun.string() + "; while :; do sleep 0.01; done"}, 60, true);
    ::_exit(result.ended_with_us && result.exit_code == 0 && result.signal == 0 ? 0 : 1);
  }
  while (!std::filesystem::exists(begun)) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ::kill(us, SIGTERM);
  int status = 0;
  ::waitpid(us, &status, 0);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Process, WhatEndsUsEndsAChildInWhicheverGroup) {
  const tests::TemporaryFolder folder;
  const std::string pid_file = (folder.path() / "pid").string();
  for (const auto& [signal, own_group] :
       {std::pair{SIGINT, true}, std::pair{SIGTERM, true}, std::pair{SIGHUP, true}, std::pair{SIGTERM, false}}) {
    const pid_t us = ::fork();
    if (us == 0) {
      std::signal(signal, SIG_DFL);  // nohup and background jobs of scripts ignore some
      run_process(
          {"sh", "-c", "echo $$ > " + pid_file + ".new; mv " + pid_file + ".new " + pid_file + "; exec sleep 60"}, 60,
          own_group);
      ::_exit(0);
    }
    while (!std::filesystem::exists(pid_file)) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    const pid_t child = std::stoi(read_file(pid_file));
    ::kill(us, signal);
    int status = 0;
    ::waitpid(us, &status, 0);
    EXPECT_EQ(WTERMSIG(status), signal);
    EXPECT_EQ(::kill(child, 0), -1) << "still there after signal " << signal;
    std::filesystem::remove(pid_file);
  }
}

}  // namespace
}  // namespace bench::harness
