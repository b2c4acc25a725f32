#include "harness/reports/chart.h"
#include "harness/reports/plots.h"
#include "harness/reports/reports.h"
#include "harness/reports/summary.h"
#include "harness/reports/text.h"

#include <algorithm>
#include <cmath>

namespace bench::harness {
namespace {

constexpr std::size_t kMostPoints = 200, kMostNumbered = 40;

struct PlacedCase {
  const CaseResult* of;
  double intensity, gflops;  // FLOP/byte, GFLOP/s
};

std::vector<PlacedCase> works_of(const Report& report) {
  std::vector<PlacedCase> works;
  for (const auto& one : report.cases) {
    const Estimate *intensity = find_estimate(one, "work_intensity"), *gflops = find_estimate(one, "work_gflops");
    if (intensity && gflops && intensity->value > 0 && gflops->value > 0)
      works.push_back({&one, intensity->value, gflops->value});
  }
  return works;
}

/// The highest that the speed probe beside any case showed: cases compute in different dtypes and at different times.
double highest(const Report& report, const char* metric) {
  double best = 0;
  for (const auto& one : report.cases)
    if (const Estimate* estimate = find_estimate(one, metric)) best = std::max(best, estimate->value);
  return best;
}

/// The two roofs: what memory reads allow at an intensity, and matrix products.
struct Roofs {
  double matmul_gflops, read_gb;

  double ridge() const { return matmul_gflops / read_gb; }  // the intensity from which on arithmetic binds
  double at(double intensity) const { return std::min(matmul_gflops, read_gb * intensity); }
};

void draw_roofs(Chart& chart, const Roofs& roofs, double lowest, double highest) {
  chart.line({{lowest, roofs.at(lowest)}, {roofs.ridge(), roofs.matmul_gflops}}, 1);
  chart.line({{roofs.ridge(), roofs.matmul_gflops}, {highest, roofs.matmul_gflops}}, 0);
  chart.explain_line(0, fmt::format("matrix products, {} GFLOP/s", format_number(roofs.matmul_gflops)));
  chart.explain_line(1, fmt::format("memory reads, {} GB/s", format_number(roofs.read_gb)));
}

std::string table(const std::vector<PlacedCase>& works) {
  std::string rows;
  for (std::size_t i = 0; i < std::min(kMostNumbered, works.size()); ++i) {
    const Estimate* share = find_estimate(*works[i].of, "share_of_ceiling");
    rows += fmt::format("<tr><td>{}<td>{}<td>{}<td>{}<td>{}\n", i + 1, escaped(works[i].of->name),
                        format_number(works[i].intensity), format_number(works[i].gflops),
                        share ? format_number(share->value) : "-");
  }
  return "<div class=\"scroll\"><table class=\"numbers\"><thead><tr><th>#<th>case<th>FLOP/byte<th>GFLOP/s<th>% of its "
         "own ceiling</thead><tbody>\n" +
         rows + "</tbody></table></div>\n";
}

}  // namespace

std::string plot_roofline(const Report& report) {
  auto works = works_of(report);
  const Roofs roofs{highest(report, "probe_matmul"), highest(report, "probe_read")};
  if (works.empty() || roofs.matmul_gflops <= 0 || roofs.read_gb <= 0) return "";
  const std::size_t all = works.size();
  works.resize(std::min(kMostPoints, all));
  std::vector<double> intensities{roofs.ridge() / 8, roofs.ridge() * 8},
      rates{roofs.matmul_gflops, roofs.matmul_gflops / 64};
  for (const auto& work : works) intensities.push_back(work.intensity), rates.push_back(work.gflops);
  const Axis x = axis_over("intensity, FLOP/byte", intensities, true);
  Chart chart("Roofline", x, axis_over("GFLOP/s", rates, true), 300);
  draw_roofs(chart, roofs, std::max(x.low, std::ranges::min(rates) / roofs.read_gb), x.high);
  for (std::size_t i = 0; i < works.size(); ++i) {
    const Point point{works[i].intensity, works[i].gflops};
    chart.mark(point, Mark::kSquare, 2, works[i].of->name);
    if (i < kMostNumbered) chart.text(point, std::to_string(i + 1));
  }
  chart.explain_mark(Mark::kSquare, 2, "a case, by the number in the table");
  if (works.size() < all) chart.note(fmt::format("The first {} of {} cases are shown.", kMostPoints, grouped(all)));
  return "<div class=\"plots wide\">" + chart.figure() + table(works) + "</div>";
}

}  // namespace bench::harness
