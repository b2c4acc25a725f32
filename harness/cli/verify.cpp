#include "harness/cli/verbs.h"
#include "harness/report.h"

#include <iostream>
#include <memory>

namespace bench::harness {
namespace {

Exit verify(const std::vector<std::string>& files) {
  Exit exit = Exit::kOk;
  for (const auto& file : files) {
    const Verification found = verify_report(file);
    for (const auto& difference : found.differences) std::cout << fmt::format("{}: {}\n", file, difference);
    if (!found.hash_matches)
      std::cout << fmt::format("{}: was changed after it was written: its hash is another\n", file);
    const bool good = found.hash_matches && found.differences.empty();
    if (good) std::cout << fmt::format("{}: every statistic and verdict follows from its samples\n", file);
    if (!good) exit = Exit::kGateFailed;
  }
  return exit;
}

}  // namespace

void add_verify(CLI::App& app, Exit& exit) {
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* verb = app.add_subcommand(
      "verify", "Compute every statistic and verdict of reports from their samples again; exits 1 if one differs");
  verb->add_option("reports", *files, "report.json files")->required();
  verb->callback([files, &exit] { exit = verify(*files); });
}

}  // namespace bench::harness
