// The tests of faults, and the program itself: `faults_tests case REQUEST RECORD` is what a run under test starts.
#include "harness/cli/verbs.h"
#include "harness/running/failure.h"
#include "tests/faults/program.h"

#include <iostream>

#include <gtest/gtest.h>

namespace bench::tests {

int run_program(const std::vector<std::string>& arguments) {
  using namespace bench::harness;
  CLI::App app;
  app.require_subcommand(1);
  Exit exit = Exit::kOk;
  for (auto* add : {add_run, add_train, add_case, add_render, add_tokenizer}) add(app, exit);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));  // CLI11 takes them from the back
  } catch (const std::exception& e) {
    const Failure failure = describe(e);
    std::cerr << "bench: " << format_error(failure.where, failure.message, failure.hint) << "\n";
    return static_cast<int>(failure.exit);
  }
  return static_cast<int>(exit);
}

}  // namespace bench::tests

int main(int argc, char** argv) {
  if (argc > 1 && argv[1][0] != '-') return bench::tests::run_program({argv + 1, argv + argc});
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
