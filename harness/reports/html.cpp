#include "harness/reports/html_page.h"
#include "harness/reports/html_parts.h"
#include "harness/reports/plots.h"
#include "harness/reports/reports.h"
#include "harness/reports/summary.h"
#include "harness/reports/text.h"

#include <algorithm>

namespace bench::harness {
namespace {

void write_header(const Report& report, bool has_groups, bool has_roofline, std::ostream& out) {
  const Exit exit = report.exit_code();
  out << fmt::format("<h1>{}</h1>\n<p class=\"summary\">{}</p>\n<p>Exit code {}: {}.</p>\n", escaped(report.suite),
                     escaped(summary_line(report)), static_cast<int>(exit), exit_meaning(exit));
  if (!report.description.empty()) out << fmt::format("<p>{}</p>\n", escaped(report.description));
  const std::string commit = commit_text(report.environment);
  out << fmt::format(
      "<p class=\"soft\">Made {} on {}, device {}{}; order of the processes from seed {}.</p>\n",
      escaped(report.created), escaped(report.machine()), escaped(report.device),
      commit.empty() ? "" : ", commit " + escaped(commit.substr(0, 12) + (commit.ends_with("-dirty") ? "-dirty" : "")),
      report.seed);
  out << fmt::format(
      "<nav><a href=\"#verdicts\">Verdicts</a>{}<a href=\"#cases\">Cases</a>{}<a href=\"#environment\">"
      "Environment</a><a href=\"#conditions\">Conditions</a><a href=\"#glossary\">Metrics</a></nav>\n",
      has_groups ? "<a href=\"#groups\">Side by side</a>" : "",
      has_roofline ? "<a href=\"#roofline\">Roofline</a>" : "");
}

void write_cases(const Report& report, std::ostream& out) {
  out << "<h2 id=\"cases\">Cases</h2>\n";
  const std::size_t detailed = std::min(kMostDetailedCases, report.cases.size());
  for (std::size_t i = 0; i < detailed; ++i) write_html_case(report.cases[i], i, true, out);
  if (detailed == report.cases.size()) return;
  out << fmt::format(
      "<p>The first {} of {} cases have plots, notes and configs here; of the others, report.json has "
      "them.</p>\n<div class=\"more\">\n",
      detailed, grouped(report.cases.size()));
  for (std::size_t i = detailed; i < report.cases.size(); ++i) write_html_case(report.cases[i], i, false, out);
  out << "</div>\n";
}

}  // namespace

void write_html(const Report& report, std::ostream& out) {
  const std::string groups = plot_groups(report), roofline = plot_roofline(report);
  begin_page(report.suite + ": bench", out);
  write_header(report, !groups.empty(), !roofline.empty(), out);
  write_html_verdicts(report, out);
  if (!groups.empty())
    out << "<h2 id=\"groups\">Side by side</h2>\n"
           "<p class=\"soft\">Cases that gates compare with each other. The bound is what the speed probe beside "
           "the case would allow, and holds for all that do the same work.</p>\n"
        << groups;
  write_cases(report, out);
  if (!roofline.empty())
    out << "<h2 id=\"roofline\">Roofline</h2>\n<p class=\"soft\">What the work must cost, against what the speed probe "
           "of this run reached at best. A case's own ceiling is that of the probe beside it.</p>\n"
        << roofline;
  write_html_machine(report, out);
  write_html_glossary(report, out);
  end_page(out);
}

}  // namespace bench::harness
