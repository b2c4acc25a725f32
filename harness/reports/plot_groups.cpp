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
  return std::ranges::find(group.members, index) != group.members.end();
}

/// Puts the gate's case and the case that it is relative to into one group, together with all cases that shared a group
/// with either.
void join(std::vector<Group>& groups, const Metric* metric, std::size_t a, std::size_t b) {
  Group joined{metric, {a, b}};
  const auto belongs = [&](const Group& group) { return group.metric == metric && (has(group, a) || has(group, b)); };
  const auto first = std::ranges::find_if(groups, belongs);
  const auto place = first - groups.begin();
  for (auto group = first; group != groups.end(); group = std::ranges::find_if(group, groups.end(), belongs)) {
    joined.members.insert(joined.members.end(), group->members.begin(), group->members.end());
    group = groups.erase(group);
  }
  std::ranges::sort(joined.members);
  const auto repeated = std::ranges::unique(joined.members);
  joined.members.erase(repeated.begin(), repeated.end());
  groups.insert(groups.begin() + place, std::move(joined));
}

std::vector<Group> groups_of(const Report& report) {
  std::vector<Group> groups;
  for (std::size_t i = 0; i < report.cases.size(); ++i)
    for (const auto& gate : report.cases[i].gates) {
      const CaseResult* base = gate.relative_to.empty() ? nullptr : find_case(report.cases, gate.relative_to);
      const Metric* metric = find_metric(gate.metric, report.cases[i].processes);
      if (base && metric) join(groups, metric, static_cast<std::size_t>(base - report.cases.data()), i);
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
    const Estimate* measured = find_estimate(one, *group.metric);
    if (measured && measured->value >= 0 && std::isfinite(measured->value))  // a bar begins at zero
      rows.push_back({&one, *measured, bound_of(one, *group.metric, measured->value)});
  }
  return rows;
}

/// The labels beside the bars: names or, where one name is too long, the numbers of the table.
Axis names_axis(const std::vector<Row>& rows) {
  Axis axis;
  axis.low = -0.5;
  axis.high = static_cast<double>(rows.size()) - 0.5;
  const bool fits = std::ranges::all_of(rows, [](const Row& row) { return columns(row.of->name) <= kMostColumns; });
  for (std::size_t i = 0; i < rows.size(); ++i)  // the first at the top
    axis.ticks.push_back({static_cast<double>(rows.size() - 1 - i), fits ? rows[i].of->name : std::to_string(i + 1)});
  return axis;
}

bool is_program(const Row& row) { return row.of->type == "command"; }

/// The bound that holds for all rows, if there is one: the bound of the only case that is not a program. The programs
/// beside this case do the same work.
std::optional<double> common_bound(const std::vector<Row>& rows) {
  std::optional<double> bound;
  for (const auto& row : rows) {
    if (is_program(row)) continue;
    if (bound || !row.bound) return {};
    bound = row.bound;
  }
  return bound;
}

std::string figure(const Metric& metric, const std::vector<Row>& rows) {
  std::vector<double> values;
  for (const auto& row : rows) {
    values.push_back(row.measured.value);
    if (row.measured.has_interval()) values.push_back(row.measured.high);
    if (row.bound) values.push_back(*row.bound);
  }
  const auto common = common_bound(rows);
  const Axis y = names_axis(rows);
  Chart chart(metric.name, axis_from_zero(metric.unit, values), y, 52 + kRowHeight * static_cast<double>(rows.size()));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Estimate& e = rows[i].measured;
    const double at = y.ticks[i].at;
    chart.bar_x(e.value, at, is_program(rows[i]) ? 1 : 0);
    if (e.has_interval()) chart.interval_x(e.low, e.value, e.high, at);
    if (rows[i].bound && !common) chart.marks({{*rows[i].bound, at}}, Mark::kCross, 3);
  }
  if (common) chart.limit_x(*common, "bound");
  if (!common && std::ranges::any_of(rows, [](const Row& row) { return row.bound.has_value(); }))
    chart.explain_mark(Mark::kCross, 3, "what the machine allows this case");
  if (std::ranges::any_of(rows, is_program)) {
    chart.explain_bar(0, "ours");
    chart.explain_bar(1, "another program");
  }
  return chart.figure();
}

std::string table(const Metric& metric, const std::vector<Row>& rows) {
  std::string html = fmt::format(
      "<div class=\"scroll\"><table class=\"numbers\"><thead><tr><th>#<th>case<th>{}<th>95 % interval<th>bound</thead>"
      "<tbody>\n",
      escaped(metric.unit));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& [of, e, bound] = rows[i];
    html += fmt::format("<tr><td>{}<td>{}<td>{}<td>{}<td>{}\n", i + 1, escaped(of->name), format_number(e.value),
                        e.has_interval() ? fmt::format("[{}, {}]", format_number(e.low), format_number(e.high)) : "-",
                        bound ? format_number(*bound) : "-");
  }
  return html + "</tbody></table></div>\n";
}

}  // namespace

std::string plot_groups(const Report& report) {
  std::string html;
  std::size_t shown = 0;
  for (const auto& group : groups_of(report)) {
    auto rows = rows_of(report, group);
    if (rows.size() < 2 || shown++ >= kMostGroups) continue;
    const std::size_t all = rows.size();
    rows.resize(std::min(all, kMostRows));
    html += "<div class=\"plots wide\">" + figure(*group.metric, rows) + table(*group.metric, rows) + "</div>\n";
    if (all > kMostRows) html += fmt::format("<p>The first {} of {} cases are shown.</p>\n", kMostRows, all);
  }
  if (shown > kMostGroups) html += fmt::format("<p>The first {} of {} groups are shown.</p>\n", kMostGroups, shown);
  return html;
}

}  // namespace bench::harness
