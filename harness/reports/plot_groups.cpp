#include "harness/reports/chart.h"
#include "harness/reports/plots.h"
#include "harness/reports/reports.h"
#include "harness/reports/text.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace bench::harness {
namespace {

constexpr std::size_t kMostGroups = 20, kMostRows = 30, kMostColumns = 20;
constexpr double kRowHeight = 28;  // of the drawing

/// A case of a group, with what was measured of it.
struct Row {
  const CaseResult* of = nullptr;
  Estimate measured;
  std::optional<double> bound;  // what the speed probe beside it would allow
};

/// Cases that gates compare with each other by one metric.
struct Group {
  const Metric* metric;
  std::vector<std::size_t> members;  // indices of cases
};

bool has(const Group& group, std::size_t index) {
  return std::find(group.members.begin(), group.members.end(), index) != group.members.end();
}

/// The gate's case and the one that it is relative to come into one group, with all that either was together with.
void join(std::vector<Group>& groups, const Metric* metric, std::size_t a, std::size_t b) {
  Group joined{metric, {a, b}};
  const auto belongs = [&](const Group& group) { return group.metric == metric && (has(group, a) || has(group, b)); };
  const auto first = std::find_if(groups.begin(), groups.end(), belongs);
  const auto place = first - groups.begin();
  for (auto group = first; group != groups.end(); group = std::find_if(group, groups.end(), belongs)) {
    joined.members.insert(joined.members.end(), group->members.begin(), group->members.end());
    group = groups.erase(group);
  }
  std::sort(joined.members.begin(), joined.members.end());
  joined.members.erase(std::unique(joined.members.begin(), joined.members.end()), joined.members.end());
  groups.insert(groups.begin() + place, std::move(joined));
}

std::vector<Group> groups_of(const Report& report) {
  std::vector<Group> groups;
  for (std::size_t i = 0; i < report.cases.size(); ++i)
    for (const auto& gate : report.cases[i].gates) {
      const auto is_base = [&](const CaseResult& one) { return one.name == gate.relative_to; };
      const auto base = std::find_if(report.cases.begin(), report.cases.end(), is_base);
      const Metric* metric = find_metric(gate.metric, report.cases[i].processes);
      if (!gate.relative_to.empty() && base != report.cases.end() && metric)
        join(groups, metric, static_cast<std::size_t>(base - report.cases.begin()), i);
    }
  return groups;
}

std::optional<double> bound_of(const CaseResult& one, const Metric& metric, double value) {
  const Estimate* share = metric.share ? find_estimate(one, metric.share) : nullptr;
  if (!share || !(share->value > 0)) return {};
  return metric.better == Better::kHigher ? value / share->value * 100 : value * share->value / 100;
}

std::vector<Row> rows_of(const Report& report, const Group& group) {
  std::vector<Row> rows;
  for (const std::size_t index : group.members) {
    const CaseResult& one = report.cases[index];
    const Metric* metric = find_metric(group.metric->name, one.processes);
    const Estimate* measured = metric ? find_estimate(one, *metric) : nullptr;
    if (measured && std::isfinite(measured->value))
      rows.push_back({&one, *measured, bound_of(one, *group.metric, measured->value)});
  }
  if (rows.size() > kMostRows) rows.resize(kMostRows);
  return rows;
}

Axis names_axis(const std::vector<Row>& rows) {
  Axis axis;
  axis.low = -0.5;
  axis.high = static_cast<double>(rows.size()) - 0.5;
  for (std::size_t i = 0; i < rows.size(); ++i)  // the first at the top
    axis.ticks.push_back({static_cast<double>(rows.size() - 1 - i), shortened(rows[i].of->name, kMostColumns)});
  return axis;
}

std::string figure(const Metric& metric, const std::vector<Row>& rows) {
  std::vector<double> values, bounds;
  for (const auto& row : rows) {
    values.push_back(row.measured.value);
    if (row.measured.has_interval()) values.push_back(row.measured.high);
    if (row.bound) bounds.push_back(*row.bound);
  }
  values.insert(values.end(), bounds.begin(), bounds.end());
  const Axis y = names_axis(rows);
  Chart chart(metric.name, axis_from_zero(metric.unit, values), y, 52 + kRowHeight * static_cast<double>(rows.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Estimate& e = rows[i].measured;
    const double at = y.ticks[i].at;
    chart.bar_x(e.value, at, rows[i].of->type == "command" ? 1 : 0);
    if (e.has_interval()) chart.interval_x(e.low, e.value, e.high, at);
    if (rows[i].bound && bounds.size() > 1) chart.marks({{*rows[i].bound, at}}, Mark::kCross, 3);
  }
  if (bounds.size() == 1) chart.limit_x(bounds[0], "bound");
  if (bounds.size() > 1) chart.explain_mark(Mark::kCross, 3, "what the machine allows this case");
  return chart.figure();
}

std::string table(const Metric& metric, const std::vector<Row>& rows) {
  std::string html = fmt::format(
      "<div class=\"scroll\"><table class=\"numbers\"><thead><tr><th>case<th>{}<th>95 % interval<th>bound</thead>"
      "<tbody>\n",
      escaped(metric.unit));
  for (const auto& [of, e, bound] : rows)
    html += fmt::format("<tr><td>{}<td>{}<td>{}<td>{}\n", escaped(of->name), format_number(e.value),
                        e.has_interval() ? fmt::format("[{}, {}]", format_number(e.low), format_number(e.high)) : "-",
                        bound ? format_number(*bound) : "-");
  return html + "</tbody></table></div>\n";
}

}  // namespace

std::string plot_groups(const Report& report) {
  std::string html;
  std::size_t shown = 0;
  for (const auto& group : groups_of(report)) {
    const auto rows = rows_of(report, group);
    if (rows.size() < 2 || shown++ >= kMostGroups) continue;
    html += "<div class=\"plots wide\">" + figure(*group.metric, rows) + table(*group.metric, rows) + "</div>\n";
  }
  if (shown > kMostGroups) html += fmt::format("<p>The first {} of {} groups are shown.</p>\n", kMostGroups, shown);
  return html;
}

}  // namespace bench::harness
