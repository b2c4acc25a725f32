#include "tests/faults/forked.h"

#include "harness/core/files.h"
#include "tests/temporary_folder.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bench::tests {

constexpr int kEndedByException = 99;  // an allocation that failed where nothing catches it

Ended run_forked(const std::function<int()>& work, const std::function<void()>& prepare) {
  const TemporaryFolder folder;
  const std::string text = folder.path() / "text", count = folder.path() / "count";
  const pid_t child = ::fork();
  if (child == 0) {
    const int out = ::open(text.c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
    ::dup2(out, STDOUT_FILENO);
    ::dup2(out, STDERR_FILENO);
    int code = -1;
    try {
      prepare();
      code = work();
      std::ofstream(count) << operations_made();
    } catch (const std::exception&) {  // from here it must not go back into the tests
      code = kEndedByException;
    }
    std::fflush(nullptr);
    ::_exit(code);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  Ended ended;
  ended.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  ended.operations = std::filesystem::exists(count) ? std::stoll(harness::read_file(count)) : 0;
  ended.text = harness::read_file(text);
  return ended;
}

namespace {

/// What the program keeps for a while lies in tmp/, so that faults meet it there, too.
int run_in(const std::filesystem::path& folder, const std::vector<std::string>& arguments) {
  std::filesystem::current_path(folder);
  ::setenv("TMPDIR", (folder / "tmp").c_str(), 1);
  return run_program(arguments);
}

}  // namespace

Ended run_with_fault(const std::filesystem::path& folder, const std::vector<std::string>& arguments, Fault fault,
                     std::int64_t n) {
  std::filesystem::create_directories(folder / "tmp");
  return run_forked([&] { return run_in(folder, arguments); }, [&] { plan_fault(fault, n, folder.string()); });
}

Ended run_undisturbed(const std::filesystem::path& folder, const std::vector<std::string>& arguments) {
  std::filesystem::create_directories(folder / "tmp");
  return run_forked([&] { return run_in(folder, arguments); });
}

}  // namespace bench::tests
