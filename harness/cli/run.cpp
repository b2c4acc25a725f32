#include "harness/cli/verbs.h"
#include "harness/core/files.h"
#include "harness/reports/reports.h"
#include "harness/runner.h"

#include <filesystem>
#include <iostream>
#include <memory>

namespace bench::harness {
namespace {

struct Options {
  std::string suite = "suites/quick.yaml", out, device, case_glob = "*";
  std::vector<std::string> set, formats{"json", "markdown"};
};

/// results/<suite>/<time>, unless the user said otherwise.
std::filesystem::path output_folder(const Options& options, const Report& report) {
  if (!options.out.empty()) return options.out;
  std::string time = report.created;
  std::erase(time, ':');  // not every file system takes it
  return std::filesystem::path("results") / report.suite / time;
}

void write_reports(const Options& options, const Report& report) {
  for (const auto& name : options.formats) {
    const ReportFormat& format = find_report_format(name, "--format");
    write_file_atomically(output_folder(options, report) / format.file,
                          [&](std::ostream& out) { format.write(report, out); });
  }
}

Exit run(const Options& options) {
  for (const auto& name : options.formats) find_report_format(name, "--format");  // before hours of work, not after
  const Suite suite = read_suite(options.suite, options.set);
  const Report report = run_suite(
      suite, {options.device, options.case_glob, [&](const Report& so_far) { write_reports(options, so_far); }});
  write_terminal(report, std::cout);
  std::cout << "report: " << output_folder(options, report).string() << "\n";
  return report.exit_code();
}

}  // namespace

void add_run(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("run", "Run a suite and judge its gates");
  verb->add_option("suite", options->suite, "suite file; suites/ and configs/ are also built in")
      ->capture_default_str();
  verb->add_option("--out", options->out, "folder of the report [results/<suite>/<time>]");
  verb->add_option("--device", options->device, "auto, mps, cuda or cpu, instead of the suite's");
  verb->add_option("--case", options->case_glob, "run only cases whose names match this pattern")
      ->capture_default_str();
  verb->add_option("--set", options->set,
                   "KEY=VALUE, such as cases.train.steps=10 or device=cpu; may be given several times")
      ->allow_extra_args(false);
  verb->add_option("--format", options->formats, "report formats (bench list formats)")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
  verb->callback([options, &exit] { exit = run(*options); });
}

}  // namespace bench::harness
