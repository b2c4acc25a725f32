#include "harness/core/process.h"

#include "harness/core/error.h"

#include <csignal>

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

}  // namespace
}  // namespace bench::harness
