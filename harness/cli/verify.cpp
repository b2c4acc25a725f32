#include "harness/cli/verbs.h"
#include "harness/judging/report.h"

#include <iostream>
#include <memory>

namespace bench::harness {
namespace {

Exit verify(const std::vector<std::string>& files) {
  bool differs = false, interrupted = false;
  for (const auto& file : files) {
    const Verification found = verify_report(file);
    for (const auto& difference : found.differences) std::cout << fmt::format("{}: {}\n", file, difference);
    if (!found.hash_matches)
      std::cout << fmt::format("{}: was changed after it was written: its hash is another\n", file);
    const bool good = found.hash_matches && found.differences.empty();
    if (good) std::cout << fmt::format("{}: every statistic and verdict follows from its samples\n", file);
    if (!found.interruption.empty()) std::cout << fmt::format("{}: the run was {}\n", file, found.interruption);
    differs = differs || !good;
    interrupted = interrupted || !found.interruption.empty();
  }
  if (differs) return Exit::kGateFailed;
  return interrupted ? Exit::kNotJudged : Exit::kOk;
}

}  // namespace

void add_verify(CLI::App& app, Exit& exit) {
  auto files = std::make_shared<std::vector<std::string>>();
  CLI::App* verb = app.add_subcommand(
      "verify",
      "Compute every statistic and verdict of reports from their samples again; exits 1 if one differs, 4 if "
      "a run was interrupted");
  verb->add_option("reports", *files, "report.json files")->required();
  verb->callback([files, &exit] { exit = verify(*files); });
}

}  // namespace bench::harness
