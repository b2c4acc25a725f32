#include "harness/build_info.h"
#include "harness/cli/verbs.h"
#include "harness/core/names.h"
#include "harness/environment.h"
#include "harness/failure.h"
#include "harness/waiting.h"

#include <iostream>

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
  return verb == "train" || verb == "ppl" || verb == "generate" || verb == "case";
}

}  // namespace
}  // namespace bench::harness

int main(int argc, char** argv) {
  using namespace bench::harness;
  wait_shortly(argc > 1 && computes(argv[1]), argv);
  keep_to_processor_quota();
  CLI::App app("Benchmark and evaluation harness for decoder-only language models");
  app.name("bench");
  app.set_version_flag("--version", build_info().version);
  app.require_subcommand(1);
  Exit exit = Exit::kOk;
  for (auto* add :
       {add_run, add_plan, add_compare, add_ab, add_calibrate, add_verify, add_render, add_history, add_memory, add_ppl,
        add_train, add_tokenizer, add_generate, add_list, add_check, add_env, add_case})
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
