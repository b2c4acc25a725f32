#include "harness/cli/verbs.h"
#include "harness/reports/reports.h"

#include <iostream>
#include <memory>

namespace bench::harness {
namespace {

struct Options {
  std::string report, out;
  std::vector<std::string> formats{"html"};
};

void render(const Options& options) {
  const Report report = read_report(options.report);
  const std::filesystem::path folder =
      options.out.empty() ? std::filesystem::path(options.report).parent_path() : std::filesystem::path(options.out);
  std::vector<const ReportFormat*> formats;  // all looked up before any is written
  for (const auto& name : options.formats) formats.push_back(&find_report_format(name, "--format"));
  if (options.out == "-") {
    for (const auto* format : formats) format->write(report, std::cout);
    return;
  }
  write_report(report, folder, options.formats);
  for (const auto* format : formats) std::cout << (folder / format->file).string() << "\n";
}

}  // namespace

void add_render(CLI::App& app, Exit&) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("render", "Write a report in other formats (bench list formats)");
  verb->add_option("report", options->report, "report.json")->required();
  verb->add_option("--format", options->formats, "formats")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->capture_default_str();
  verb->add_option("--out", options->out, "folder; - for standard output [the report's own folder]");
  verb->callback([options] { render(*options); });
}

}  // namespace bench::harness
