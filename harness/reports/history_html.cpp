#include "harness/comparison/history.h"
#include "harness/reports/chart.h"
#include "harness/reports/html_page.h"
#include "harness/reports/reports.h"
#include "harness/reports/text.h"

#include <algorithm>
#include <cmath>

namespace bench::harness {
namespace {

constexpr std::size_t kMostCharts = 500, kMostPoints = 200, kMostSteps = 1000;

std::string short_commit(const TrendPoint& point) {
  return point.commit.empty() ? "no commit" : point.commit.substr(0, 10) + (point.dirty ? "-dirty" : "");
}

/// "1.23x".
std::string ratio_text(const StepChange& step) {
  return step.to_no_number() ? "is not a number" : fmt::format("{:.3g}x", step.ratio);
}

/// "1.23x better at COMMIT", "is not a number since COMMIT".
std::string step_text(const Trend& trend, const StepChange& step) {
  const std::string commit = short_commit(trend.points.at(step.index));
  if (step.to_no_number()) return fmt::format("{} since {}", ratio_text(step), commit);
  return fmt::format("{} {} at {}", ratio_text(step), step.worse ? "worse" : "better", commit);
}

std::string value_text(const Estimate& estimate, const char* unit) {
  return std::isfinite(estimate.value) ? format_estimate(estimate) + unit_suffix(unit) : "not a number";
}

std::string point_text(const Trend& trend, const TrendPoint& point) {
  return fmt::format("{}: {}, {}", point.created, value_text(point.estimate, trend.metric->unit), short_commit(point));
}

/// The indices of the points that are drawn: those at which the level changes always are.
std::vector<std::size_t> drawn(const Trend& trend) {
  auto indices = thinned(trend.points.size(), kMostPoints);
  for (const auto& step : trend.steps) indices.push_back(step.index);
  std::ranges::sort(indices);
  const auto repeated = std::ranges::unique(indices);
  indices.erase(repeated.begin(), repeated.end());
  return indices;
}

std::string figure(const Trend& trend) {
  std::vector<double> values;
  std::vector<Point> line;
  const auto indices = drawn(trend);
  for (const std::size_t i : indices) {
    const Estimate& e = trend.points[i].estimate;
    for (const double value : {e.least(), e.value, e.most()}) values.push_back(value);
    line.push_back({static_cast<double>(i + 1), e.value});
  }
  const auto n = static_cast<double>(trend.points.size());
  Chart chart(std::string(trend.metric->name),
              axis_over(fmt::format("report, from {} to {}", trend.points.front().created.substr(0, 10),
                                    trend.points.back().created.substr(0, 10)),
                        {1, std::max(2.0, n)}),
              axis_over(std::string(trend.metric->unit) == "1" ? "" : trend.metric->unit, values), 200);
  chart.line(line, 0);
  for (const std::size_t i : indices) {
    const auto& point = trend.points[i];
    if (point.is_number() && point.estimate.has_interval())
      chart.interval_y(point.estimate.low, point.estimate.value, point.estimate.high, static_cast<double>(i + 1), 0);
    chart.mark({static_cast<double>(i + 1), point.estimate.value}, Mark::kDot, 0, point_text(trend, point));
  }
  for (const auto& step : trend.steps)
    chart.event_x(std::max(1.0, static_cast<double>(step.index) + 0.5), step_text(trend, step));
  const auto better = trend.metric->better;
  chart.note(fmt::format("Latest: {}{}", value_text(trend.points.back().estimate, trend.metric->unit),
                         better == Better::kHigher  ? "; higher is better."
                         : better == Better::kLower ? "; lower is better."
                                                    : "; any change is a fault."));
  if (indices.size() < trend.points.size())
    chart.note(fmt::format("{} of {} reports shown.", indices.size(), grouped(trend.points.size())));
  return chart.figure();
}

struct LevelChange {
  const Trend* trend;
  const StepChange* step;
};

/// All changes of level, those for the worse first.
std::vector<LevelChange> changes_of(const std::vector<Trend>& trends) {
  std::vector<LevelChange> changes;
  for (const auto& trend : trends)
    for (const auto& step : trend.steps) changes.push_back({&trend, &step});
  std::ranges::stable_partition(changes, &StepChange::worse, &LevelChange::step);
  return changes;
}

void write_changes(const std::vector<LevelChange>& changes, std::ostream& out) {
  out << "<h2 id=\"changes\">Changes that lasted</h2>\n";
  if (changes.empty()) {
    out << "<p>No metric changed its level.</p>\n";
    return;
  }
  out << "<div class=\"scroll\"><table class=\"numbers\"><thead><tr><th>direction<th>case<th>metric<th>ratio<th>since "
         "commit<th>report of<th>p<th>suite, machine</thead><tbody>\n";
  for (std::size_t i = 0; i < std::min(kMostSteps, changes.size()); ++i) {
    const auto& [trend, step] = changes[i];
    const auto& point = trend->points.at(step->index);
    out << fmt::format(
        "<tr><td><span class=\"verdict {}\">{}</span><td>{}<td>{}<td>{}<td>{}<td>{}<td>{:.2g}<td>{}, {}\n",
        step->worse ? "fail" : "pass", step->worse ? "\u2717 worse" : "\u2713 better", escaped(trend->case_name),
        trend->metric->name, ratio_text(*step), escaped(short_commit(point)), escaped(point.created), step->p_value,
        escaped(trend->suite), escaped(trend->machine));
  }
  out << "</tbody></table></div>\n";
  if (changes.size() > kMostSteps)
    out << fmt::format("<p>The first {} of {} changes are shown.</p>\n", grouped(kMostSteps), grouped(changes.size()));
}

/// Charts in the order of the trends, with a heading wherever suite, machine or case change.
void write_charts(const std::vector<Trend>& trends, std::ostream& out) {
  std::string suite, name;
  for (std::size_t i = 0; i < std::min(kMostCharts, trends.size()); ++i) {
    const Trend& trend = trends[i];
    if (trend.points.empty()) continue;
    const std::string here = fmt::format("{} on {}", trend.suite, trend.machine);
    const bool new_suite = here != suite, new_case = new_suite || trend.case_name != name;
    if (new_case && !suite.empty()) out << "</div></section>\n";
    if (new_suite) out << fmt::format("<h2>{}</h2>\n", escaped(here));
    if (new_case)
      out << fmt::format("<section class=\"case\"><h3>{}</h3>\n<div class=\"plots\">\n", escaped(trend.case_name));
    suite = here;
    name = trend.case_name;
    out << figure(trend);
  }
  if (!suite.empty()) out << "</div></section>\n";
  if (trends.size() > kMostCharts)
    out << fmt::format("<p>The first {} of {} trends have a chart; the table above has the changes of all.</p>\n",
                       kMostCharts, grouped(trends.size()));
}

}  // namespace

void write_history_html(const std::vector<Trend>& trends, std::ostream& out) {
  const auto changes = changes_of(trends);
  const auto worse = std::ranges::count_if(changes, &StepChange::worse, &LevelChange::step);
  begin_page("Trends: bench", out);
  out << fmt::format(
      "<h1>Trends</h1>\n<p class=\"summary\">{}, {}, {} of them for the worse</p>\n<p class=\"soft\">One chart for "
      "each compared metric of each case on each machine, "
      "a point for each report, with its 95 % interval. A vertical line is a lasting change of the "
      "level, with the level's ratio.</p>\n",
      plural(trends.size(), "trend"), plural(changes.size(), "lasting change"), worse);
  write_changes(changes, out);
  write_charts(trends, out);
  end_page(out);
}

}  // namespace bench::harness
