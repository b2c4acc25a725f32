#include "harness/compare.h"

#include "harness/cli/verbs.h"
#include "harness/reports/reports.h"

#include <cmath>
#include <iostream>
#include <memory>

namespace bench::harness {
namespace {

struct Options {
  std::string base, now, tolerance = "5%";
};

/// "5%" or "0.05" as 0.05.
double parse_share(const std::string& text) {
  std::size_t used = 0;
  double value = 0;
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  const std::string rest = text.substr(used);
  if (used == 0 || (rest != "" && rest != "%") || !(value >= 0) || std::isinf(value))
    throw Error("--max-regression", fmt::format("'{}' is not a share", text), "for example 5%");
  return rest == "%" ? value / 100 : value;
}

Exit run(const Options& options) {
  const double tolerance = parse_share(options.tolerance);
  const Report base = read_report(options.base), now = read_report(options.now);
  const std::vector<Comparison> rows = compare_reports(base, now, tolerance);
  std::cout << fmt::format("{:<9} {:<24} {:<26} {:>12} {:>12} {:>7}\n", "verdict", "case", "metric", "base", "new",
                           "ratio");
  for (const auto& row : rows)
    std::cout << fmt::format("{:<9} {:<24} {:<26} {:>12} {:>12} {:>7}\n", change_name(row.change), row.case_name,
                             row.metric ? row.metric->name : "(the case)", format_number(row.base),
                             format_number(row.now), row.ratio == 0 ? "-" : fmt::format("{:.3f}", row.ratio));
  if (base.environment.at("processor") != now.environment.at("processor"))
    std::cout << fmt::format("note: made on different processors, {} and {}\n", base.environment.at("processor").dump(),
                             now.environment.at("processor").dump());
  if (rows.empty()) return Exit::kNotJudged;
  return has_regression(rows) ? Exit::kGateFailed : Exit::kOk;
}

}  // namespace

void add_compare(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("compare", "Compare two reports, metric by metric; exits 1 on a regression");
  verb->add_option("base", options->base, "report.json of before")->required();
  verb->add_option("new", options->now, "report.json of after")->required();
  verb->add_option("--max-regression", options->tolerance, "changes up to this count as the same")
      ->capture_default_str();
  verb->callback([options, &exit] { exit = run(*options); });
}

}  // namespace bench::harness
