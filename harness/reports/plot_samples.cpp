#include "harness/reports/chart.h"
#include "harness/reports/gate_lines.h"
#include "harness/reports/plots.h"
#include "harness/reports/reports.h"
#include "harness/reports/text.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace bench::harness {
namespace {

constexpr std::size_t kEnough = 5;  // samples: fewer stand better in the table
constexpr std::size_t kMostPoints = 400;
constexpr std::size_t kMostRows = 12;  // processes
constexpr double kRowHeight = 34;

enum Kind { kCounted, kWarmup, kDisturbed };

/// Which blocks the samples lie in; samples outside of all blocks count.
std::vector<Kind> kinds_of(const Record& record, const std::string& series) {
  std::vector<Kind> kinds(record.samples(series).size(), kCounted);
  const auto reasons = record.disturbances();
  for (std::size_t b = 0; b < reasons.size(); ++b) {
    const Block& block = record.blocks[b];
    const auto range = block.samples.find(series);
    if (range == block.samples.end() || (!block.warmup && reasons[b].empty())) continue;
    for (std::size_t i = range->second.first; i < range->second.second; ++i)
      kinds[i] = block.warmup ? kWarmup : kDisturbed;
  }
  return kinds;
}

/// Evenly spread indices, and those of the smallest and the largest sample, which a reader would miss most.
std::vector<std::size_t> chosen(const std::vector<double>& samples, std::size_t most) {
  if (samples.size() <= most) return thinned(samples.size(), most);
  const auto [low, high] = std::ranges::minmax_element(samples);
  std::set<std::size_t> indices{static_cast<std::size_t>(low - samples.begin()),
                                static_cast<std::size_t>(high - samples.begin())};
  for (const std::size_t i : thinned(samples.size(), most - indices.size())) indices.insert(i);
  return {indices.begin(), indices.end()};
}

struct Row {
  std::string label;
  std::vector<Point> points[3];  // by kind; x in seconds, y from 0 (last sample) to 1 (first)
  Estimate median;
};

Row row_of(const Record& record, const std::string& series, std::string label, std::size_t most) {
  const auto& samples = record.samples(series);
  const auto kinds = kinds_of(record, series);
  Row row{std::move(label), {}, median(record.counted(series))};
  for (const std::size_t i : chosen(samples, most))
    row.points[kinds[i]].push_back(
        {samples[i], 1 - (static_cast<double>(i) + 0.5) / static_cast<double>(samples.size())});
  return row;
}

/// Whether blocks tell which of the series' samples count.
bool lies_in_blocks(const CaseResult& one, const std::string& series) {
  for (const auto& record : one.processes)
    for (const auto& block : record.blocks)
      if (block.samples.contains(series)) return true;
  return false;
}

/// The rows of all processes that have samples, and one for all of them together.
std::vector<Row> rows_of(const CaseResult& one, const std::string& series, std::size_t processes) {
  std::vector<Row> rows;
  std::vector<double> medians;
  const std::size_t most =
      std::max<std::size_t>(4, kMostPoints / std::max<std::size_t>(1, std::min(kMostRows, processes)));
  for (std::size_t i = 0; i < one.processes.size(); ++i) {
    if (one.processes[i].samples(series).empty()) continue;
    Row row = row_of(one.processes[i], series, fmt::format("process {}", i + 1), most);
    medians.push_back(row.median.value);
    if (rows.size() < kMostRows) rows.push_back(std::move(row));
  }
  if (medians.size() > 1) rows.push_back({"all", {}, across_processes(medians)});
  return rows;
}

/// The values that the horizontal axis must hold: all samples, and those ends of intervals and limits that don't lie so
/// far away that they would flatten the samples.
std::vector<double> extent(const std::vector<Row>& rows, const std::vector<GateLine>& lines) {
  std::vector<double> values, more;
  for (const auto& row : rows) {
    for (const auto& kind : row.points)
      for (const auto& point : kind) values.push_back(point.x);
    more.insert(more.end(), {row.median.least(), row.median.most()});
  }
  std::erase_if(values, [](double value) { return !std::isfinite(value); });
  if (values.empty()) return values;
  for (const auto& line : lines) more.push_back(line.at);
  const auto [low, high] = std::ranges::minmax(values);
  const double near_low = std::min(0.75 * low, 2 * low - high), near_high = std::max(1.25 * high, 2 * high - low);
  for (const double value : more)
    if (near_low <= value && value <= near_high) values.push_back(value);
  return values;
}

void draw_limits(Chart& chart, const Axis& x, const std::vector<GateLine>& lines, const TimeUnit& unit) {
  bool drawn = false;
  for (const auto& line : lines) {
    const double at = line.at / unit.seconds;
    const bool inside = x.low <= at && at <= x.high;
    drawn = drawn || inside;
    if (inside) chart.limit_x(at, fmt::format("{} {}", format_number(at), unit.name));
    chart.note(fmt::format("{} is {} {}{}", line.text, format_number(at), unit.name,
                           inside       ? "."
                           : at < x.low ? ", to the left of this plot."
                                        : ", to the right of this plot."));
  }
  if (drawn) chart.explain_limit("the gate's limit");
}

void draw_rows(Chart& chart, const std::vector<Row>& rows, double seconds, bool in_blocks) {
  constexpr Mark kMarks[] = {Mark::kDot, Mark::kRing, Mark::kCross};
  const char* meanings[] = {in_blocks ? "counted" : "sample", "warm-up", "disturbed"};
  for (const Kind kind : {kCounted, kWarmup, kDisturbed}) {
    std::vector<Point> points;
    for (std::size_t r = 0; r < rows.size(); ++r)
      for (const auto& [x, y] : rows[r].points[kind])
        points.push_back({x / seconds, static_cast<double>(rows.size() - r) - 0.62 + 0.55 * y});
    if (points.empty()) continue;
    chart.marks(points, kMarks[kind], kind == kDisturbed ? 1 : 0);
    chart.explain_mark(kMarks[kind], kind == kDisturbed ? 1 : 0, meanings[kind]);
  }
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const Estimate& e = rows[r].median;
    if (std::isfinite(e.value))
      chart.interval_x(e.least() / seconds, e.value / seconds, e.most() / seconds,
                       static_cast<double>(rows.size() - r) - (rows[r].label == "all" ? 0.5 : 0.82));
  }
  chart.explain_interval("median, 95 % interval");
}

/// Notes how far intervals reach that go beyond the chart.
void note_wide_intervals(Chart& chart, const Axis& x, const std::vector<Row>& rows, const TimeUnit& unit) {
  for (const auto& row : rows) {
    const double low = row.median.least() / unit.seconds, high = row.median.most() / unit.seconds;
    if (low < x.low || high > x.high)
      chart.note(fmt::format("The interval of {} reaches from {} to {} {}.",
                             row.label == "all" ? "all processes" : row.label, format_number(low), format_number(high),
                             unit.name));
  }
}

std::string samples_figure(const CaseResult& one, const std::string& series) {
  std::size_t total = 0, processes = 0, shown = 0;
  for (const auto& record : one.processes) {
    total += record.samples(series).size();
    processes += !record.samples(series).empty();
  }
  if (total < kEnough) return "";
  const auto rows = rows_of(one, series, processes);
  const auto lines = gate_lines(one, series);
  const auto values = extent(rows, lines);
  if (values.empty()) return "";
  const TimeUnit unit = time_unit(std::ranges::max(values));
  std::vector<double> scaled;
  for (const double value : values) scaled.push_back(value / unit.seconds);
  Axis x =
      axis_over(fmt::format("{}, {}", series.ends_with("_s") ? series.substr(0, series.size() - 2) : series, unit.name),
                scaled, needs_logarithm(scaled));
  Axis y{"", 0, static_cast<double>(rows.size()), false, {}};
  for (std::size_t r = 0; r < rows.size(); ++r)
    y.ticks.push_back({static_cast<double>(rows.size() - r) - 0.5, rows[r].label});
  Chart chart("Samples of " + x.label.substr(0, x.label.find(',')), x, y,
              52 + kRowHeight * static_cast<double>(rows.size()));
  draw_rows(chart, rows, unit.seconds, lies_in_blocks(one, series));
  draw_limits(chart, x, lines, unit);
  note_wide_intervals(chart, x, rows, unit);
  for (const auto& row : rows)
    for (const auto& kind : row.points) shown += kind.size();
  if (shown < total)
    chart.note(
        fmt::format("{} of {} samples shown, each process's extremes among them.", grouped(shown), grouped(total)));
  if (processes > kMostRows) chart.note(fmt::format("{} of {} processes shown.", kMostRows, grouped(processes)));
  return chart.figure();
}

}  // namespace

std::string plot_samples(const CaseResult& one) {
  std::set<std::string> names;
  for (const auto& record : one.processes)
    for (const auto& [name, series] : record.series)
      if (series.unit == "s") names.insert(name);
  std::string figures;
  for (const auto& name : names) figures += samples_figure(one, name);
  return figures;
}

}  // namespace bench::harness
