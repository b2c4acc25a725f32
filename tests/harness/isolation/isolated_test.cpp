#include "harness/isolation/isolated.h"

#include "tests/temporary_folder.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

namespace bench::harness {
namespace {

namespace fs = std::filesystem;

/// Names in a folder that begin so.
std::size_t count_of(const fs::path& folder, const std::string& beginning) {
  std::size_t count = 0;
  for (const auto& entry : fs::directory_iterator(folder))
    count += entry.path().filename().string().starts_with(beginning);
  return count;
}

/// Runs two such programs in turns in a process of its own, which is ended by SIGTERM once both have begun.
void end_a_run_in_turns(const fs::path& program, const fs::path& folder) {
  const pid_t us = ::fork();
  if (us == 0) {
    std::signal(SIGTERM, SIG_DFL);
    ::setenv("TMPDIR", folder.c_str(), 1);
    run_in_turns({}, program, {}, program, true);
    ::_exit(0);
  }
  while (count_of(folder, "begun.") < 2) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  ::kill(us, SIGTERM);
  int status = 0;
  ::waitpid(us, &status, 0);
  EXPECT_EQ(WTERMSIG(status), SIGTERM);
}

TEST(Isolated, ARunInTurnsThatIsEndedLeavesNeitherProcessesNorFolders) {
  const tests::TemporaryFolder folder;
  // Leaves something in its own temporary folder, as a case that measures in processes of its own does.
  const fs::path program = folder.write("program", "#!/bin/sh\ntouch \"$TMPDIR/bench-nested\"\ntouch " +
                                                       folder.path().string() + "/begun.$$\nsleep 60 & wait\n");
  fs::permissions(program, fs::perms::owner_all);
  end_a_run_in_turns(program, folder.path());
  for (const auto& entry : fs::directory_iterator(folder.path()))
    if (const std::string name = entry.path().filename().string(); name.starts_with("begun.")) {
      EXPECT_EQ(::kill(std::stoi(name.substr(6)), 0), -1) << name;
    }
  EXPECT_EQ(count_of(folder.path(), "bench-"), 0u);
}

}  // namespace
}  // namespace bench::harness
