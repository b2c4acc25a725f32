#include "harness/running/calibrate.h"

#include "harness/cli/verbs.h"
#include "harness/core/clock.h"
#include "harness/core/files.h"
#include "harness/core/progress.h"
#include "harness/devices/device_names.h"
#include "harness/running/runner.h"

#include <filesystem>
#include <iostream>
#include <memory>

namespace bench::harness {
namespace {

struct Options {
  std::string suite;
  std::vector<std::string> from;
  std::int64_t runs = 5;
  bool dry_run = false;
  RunOptions run;
};

std::vector<Report> run_suite_repeatedly(const Options& options) {
  const Suite suite = read_suite(options.suite);
  std::vector<Report> reports;
  for (std::int64_t i = 0; i < options.runs; ++i) {
    print_status(fmt::format("run {} of {}", i + 1, options.runs));
    reports.push_back(run_suite(suite, options.run));
  }
  return reports;
}

void run(const Options& options) {
  if (!std::filesystem::exists(options.suite))
    throw Error(options.suite, "no such file",
                "references are written into the suite: a built-in one must be saved first");
  std::vector<Report> reports;
  for (const auto& file : options.from) reports.push_back(read_report(file));
  if (reports.empty()) reports = run_suite_repeatedly(options);
  const MachineSection section = calibrate(reports, utc_timestamp().substr(0, 10));
  const std::string text = with_machine_section(read_file(options.suite), options.suite, section);
  if (options.dry_run) {
    std::cout << text;
    return;
  }
  write_file_atomically(options.suite, text);
  read_suite(options.suite);
  std::cout << fmt::format("{}: {} references of {}\n", options.suite, section.references.size(), section.machine);
}

}  // namespace

void add_calibrate(CLI::App& app, Exit&) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("calibrate", "Write this machine's gates into a suite, from several runs of it");
  verb->add_option("suite", options->suite, "suite file; its `machines:` section is written")->required();
  verb->add_option("--runs", options->runs, "of the suite")->check(CLI::Range(3, 100))->capture_default_str();
  verb->add_option("--from", options->from, "report.json files of runs made earlier, instead of running");
  verb->add_option("--device", options->run.device, device_choices() + ", instead of the suite's");
  verb->add_flag("--dry-run", options->dry_run, "print the suite instead of writing it");
  verb->callback([options] { run(*options); });
}

}  // namespace bench::harness
