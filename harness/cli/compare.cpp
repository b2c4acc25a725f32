#include "harness/comparison/compare.h"

#include "harness/cli/verbs.h"
#include "harness/core/units.h"
#include "harness/reports/reports.h"
#include "harness/running/rerun.h"

#include <iostream>
#include <memory>

namespace bench::harness {
namespace {

struct Options {
  std::string base, now, tolerance = "5%";
  CompareOptions how;
};

/// "0.951 [0.930, 0.972]"
std::string ratio_text(const Estimate& e) {
  return e.has_interval() ? fmt::format("{:.3f} [{:.3f}, {:.3f}]", e.value, e.low, e.high)
                          : fmt::format("{:.3f}", e.value);
}

void print(const Comparison& row) {
  if (!row.metric) {
    std::cout << fmt::format("{:<10} {}: the whole case{}\n", change_name(row.change), row.case_name,
                             row.why.empty() ? "" : "; " + row.why);
    return;
  }
  std::cout << fmt::format("{:<10} {}: {}\n", change_name(row.change), row.case_name, row.metric->name);
  if (row.change == Change::kVanished) return;
  std::cout << fmt::format("{:<10}   {} -> {} {}, ratio {}\n", "", format_number(row.base.value),
                           format_number(row.now.value), row.metric->unit, ratio_text(row.ratio));
  if (row.relative)
    std::cout << fmt::format("{:<10}   relative to the machine's speed {}, p {:.2g}\n", "", ratio_text(*row.relative),
                             row.p_value);
  if (row.change == Change::kCantTell) std::cout << fmt::format("{:<10}   {}\n", "", row.why);
}

Exit run(Options options) {
  options.how.tolerance = parse_share(options.tolerance, "--max-regression");
  const auto rows =
      compare_reports(with_all_keys(read_report(options.base)), with_all_keys(read_report(options.now)), options.how);
  // What needs attention comes last, since a person looks there first.
  for (const Change change :
       {Change::kNew, Change::kSame, Change::kBetter, Change::kCantTell, Change::kVanished, Change::kWorse})
    for (const auto& row : rows)
      if (row.change == change) print(row);
  if (rows.empty()) std::cout << "nothing to compare\n";
  return exit_code(rows);
}

}  // namespace

void add_compare(CLI::App& app, Exit& exit) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand(
      "compare", "Compare two reports, metric by metric; exits 1 on a regression, 4 when it can't tell");
  verb->add_option("base", options->base, "report.json of before")->required();
  verb->add_option("new", options->now, "report.json of after")->required();
  verb->add_option("--max-regression", options->tolerance, "changes of speed up to this count as none")
      ->capture_default_str();
  verb->add_flag("--exact", options->how.exact_only,
                 "only what needs no quiet machine: losses, tokens, operators called, arithmetic, memory");
  verb->add_flag("--different", options->how.different,
                 "compare reports of different machines or configs: only what is relative to the machine's speed");
  verb->callback([options, &exit] { exit = run(*options); });
}

}  // namespace bench::harness
