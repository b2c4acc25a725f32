#include "harness/reports/chart.h"
#include "harness/reports/gate_lines.h"
#include "harness/reports/plots.h"
#include "harness/reports/text.h"

#include <algorithm>

namespace bench::harness {
namespace {

constexpr std::size_t kMostPoints = 400, kMostCurves = 4;

/// The series of one process. Processes with equal series share one curve: equal seeds give equal losses.
struct Curve {
  std::string label;
  const std::vector<double>* samples;
};
std::vector<Curve> curves_of(const CaseResult& one, const std::string& series) {
  std::vector<Curve> curves;
  for (std::size_t i = 0; i < one.processes.size(); ++i) {
    const auto& samples = one.processes[i].samples(series);
    const auto same = std::ranges::find_if(curves, [&](const auto& c) { return *c.samples == samples; });
    if (samples.empty()) continue;
    if (same == curves.end())
      curves.push_back({fmt::format("process {}", i + 1), &samples});
    else
      same->label = "processes" + same->label.substr(same->label.find(' ')) + fmt::format(", {}", i + 1);
  }
  return curves;
}

}  // namespace

std::string plot_loss(const CaseResult& one) {
  const auto curves = curves_of(one, series::kLoss);
  std::vector<double> losses;
  std::size_t steps = 0;
  for (const auto& curve : curves) {
    losses.insert(losses.end(), curve.samples->begin(), curve.samples->end());
    steps = std::max(steps, curve.samples->size());
  }
  if (steps < 3) return "";
  const auto lines = gate_lines(one, series::kLoss);
  for (const auto& line : lines) losses.push_back(line.at);
  Chart chart("Loss by step", axis_over("step", {1, static_cast<double>(steps)}), axis_over("loss, nats", losses));
  for (std::size_t c = 0; c < std::min(kMostCurves, curves.size()); ++c) {
    std::vector<Point> points;
    for (const std::size_t i : thinned(curves[c].samples->size(), kMostPoints))
      points.push_back({static_cast<double>(i + 1), (*curves[c].samples)[i]});
    chart.line(points, static_cast<int>(c));
    if (points.size() <= 30) chart.marks(points, Mark::kDot, static_cast<int>(c));
    if (one.processes.size() > 1) chart.explain_line(static_cast<int>(c), curves[c].label);
  }
  for (const auto& line : lines) chart.limit_y(line.at, line.text);
  if (steps > kMostPoints) chart.note(fmt::format("{} of {} steps shown.", kMostPoints, grouped(steps)));
  if (curves.size() > kMostCurves) chart.note(fmt::format("{} of {} curves shown.", kMostCurves, curves.size()));
  return chart.figure();
}

std::string plot_memory(const CaseResult& one) {
  const Record& record = one.record();
  const auto& lengths = record.samples(series::kSeqLength);
  if (lengths.size() < 2) return "";
  constexpr struct {
    const char *series, *label;
    Mark mark;
  } kLines[] = {{series::kPeakMemoryBytes, "measured", Mark::kDot},
                {series::kPredictedMemoryBytes, "predicted", Mark::kTriangle}};
  const auto limits = gate_lines(one, series::kPeakMemoryBytes);
  std::vector<double> gigabytes;
  for (const auto& line : kLines)
    for (const double bytes : record.samples(line.series)) gigabytes.push_back(bytes * 1e-9);
  for (const auto& limit : limits) gigabytes.push_back(limit.at * 1e-9);
  Chart chart("Peak memory by sequence length", axis_over("sequence length, tokens", lengths, needs_logarithm(lengths)),
              axis_from_zero("peak memory, GB", gigabytes));
  for (int i = 0; const auto& line : kLines) {
    const auto& bytes = record.samples(line.series);
    std::vector<Point> points;
    for (std::size_t k = 0; k < std::min(lengths.size(), bytes.size()); ++k)
      points.push_back({lengths[k], bytes[k] * 1e-9});
    if (!points.empty()) {
      chart.line(points, i);
      chart.marks(points, line.mark, i);
      chart.explain_mark(line.mark, i, line.label);
    }
    ++i;
  }
  for (const auto& limit : limits) chart.limit_y(limit.at * 1e-9, limit.text);
  return chart.figure();
}

}  // namespace bench::harness
