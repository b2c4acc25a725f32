#include "harness/build_info.h"
#include "harness/cli/verbs.h"
#include "harness/failure.h"

#include <iostream>

int main(int argc, char** argv) {
  using namespace bench::harness;
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
