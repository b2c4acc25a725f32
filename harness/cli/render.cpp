#include "harness/cli/verbs.h"
#include "harness/core/files.h"
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
  for (const auto& name : options.formats) {
    const ReportFormat& format = find_report_format(name, "--format");
    if (options.out == "-") {
      format.write(report, std::cout);
      continue;
    }
    write_file_atomically(folder / format.file, [&](std::ostream& out) { format.write(report, out); });
    std::cout << (folder / format.file).string() << "\n";
  }
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
