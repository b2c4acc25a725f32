#include "harness/cli/verbs.h"
#include "harness/core/names.h"
#include "harness/core/process.h"
#include "harness/core/scratch_folder.h"
#include "harness/devices/processor_quota.h"
#include "harness/host/build_info.h"
#include "harness/host/process_tree.h"
#include "harness/host/waiting.h"
#include "harness/running/failure.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <poll.h>
#include <unistd.h>

#include <fmt/format.h>

namespace bench::harness {
namespace {

/// CLI11 answers `bench nope` with "A subcommand is required".
void check_verb(const CLI::App& app, const std::string& verb) {
  std::vector<std::string> known;
  for (const CLI::App* one : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (one->get_name() == verb) return;
    if (!one->get_group().empty()) known.push_back(one->get_name());  // without a group it is not for people
  }
  throw Error("", fmt::format("unknown verb '{}'", verb), unknown_name_hint(verb, known));
}

/// Whether a verb computes in this process. The others that measure start `bench case`.
bool computes(const std::string& verb) {
  return verb == "train" || verb == "ppl" || verb == "generate" || verb == "selftest" || verb == "case";
}

int run_program(int argc, char** argv) {
  CLI::App app("Benchmark and evaluation harness for decoder-only language models");
  app.name("bench");
  app.set_version_flag("--version", build_info().version);
  app.require_subcommand(1);
  Exit exit = Exit::kOk;
  for (auto* add :
       {add_run, add_plan, add_compare, add_ab, add_calibrate, add_verify, add_render, add_history, add_memory, add_ppl,
        add_train, add_tokenizer, add_generate, add_selftest, add_list, add_check, add_env, add_case})
    add(app, exit);
  try {
    if (argc > 1 && argv[1][0] != '-') check_verb(app, argv[1]);
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : static_cast<int>(Exit::kUsage);  // 0: --help and --version
  } catch (const std::exception& e) {
    const Failure failure = describe(e);
    std::cerr << "bench: " << format_error(failure.where, failure.message, failure.hint) << "\n";
    return static_cast<int>(failure.exit);
  }
  return static_cast<int>(exit);
}

/// Whether standard output is a pipe of which nobody reads any more.
bool reader_is_gone() {
  struct pollfd output{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&output, 1, /*timeout, ms*/ 0) == 1 && (output.revents & (POLLERR | POLLHUP)) != 0;
}

/// Printed output that did not arrive is an error: otherwise a full disk would leave half an answer that looks like a
/// whole one. But a reader that went away (`| head`) has all that it wanted.
int after_writing_output(int exit_code) {
  errno = 0;
  std::cout.flush();
  const bool flushed = std::fflush(stdout) == 0;
  if ((flushed && std::cout && !std::ferror(stdout)) || reader_is_gone()) return exit_code;
  const std::string reason = errno != 0 ? std::string(": ") + std::strerror(errno) : "";
  std::cerr << "bench: " << format_error("standard output", "cannot be written" + reason, "is the disk full?") << "\n";
  return static_cast<int>(Exit::kCaseError);
}

}  // namespace
}  // namespace bench::harness

int main(int argc, char** argv) {
  using namespace bench::harness;
  wait_shortly(argc > 1 && computes(argv[1]), argv);
  end_with_starter(inherited_scratch_folder(), [] { end_descendants(); });
  std::signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is an error of its writer, not our end
  keep_to_processor_quota();
  return after_writing_output(run_program(argc, argv));
}
