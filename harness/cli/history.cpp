#include "harness/history.h"

#include "harness/cli/verbs.h"
#include "harness/core/files.h"
#include "harness/core/names.h"
#include "harness/reports/reports.h"
#include "harness/reports/text.h"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <memory>
#include <set>

#include <fmt/ranges.h>

namespace bench::harness {
namespace {

/// What a folder of reports held.
struct Found {
  std::size_t reports = 0;
  std::set<std::string> machines;
  std::vector<std::string> skipped;
  std::vector<Trend> trends;
};

struct Options {
  std::string folder, case_glob = "*", metric_glob = "*", html;
  bool all = false, json = false;
};

constexpr std::size_t kIndent = 11;

/// The end of a path, which says more than its beginning.
std::string shortened_path(const std::string& path, std::size_t width) {
  std::size_t begin = 0;
  while (columns(path.substr(begin)) > width - (begin == 0 ? 0 : 3)) next_character(path, begin);
  return one_line((begin == 0 ? "" : "...") + path.substr(begin));
}

void print_line(std::size_t indent, const std::string& text) {
  std::cout << std::string(indent, ' ') << shortened(text, kTerminalColumns - indent) << "\n";
}

/// The last values as blocks of eight heights. Noise of a few percent stays flat.
std::string sparkline(const Trend& trend, std::size_t width) {
  static constexpr const char* kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr double kLeastRange = 0.1;  // of the value in the middle
  std::vector<double> values;
  for (const auto& point : trend.points) values.push_back(point.judged);
  if (values.size() > width) values.erase(values.begin(), values.end() - static_cast<std::ptrdiff_t>(width));
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  const double middle = (*low + *high) / 2;
  const double range = std::max(*high - *low, kLeastRange * std::fabs(middle));
  std::string text;
  for (const double value : values) {
    const double height = range > 0 && std::isfinite(range) ? (value - middle) / range + 0.5 : 0.5;
    text += kBlocks[std::min<std::size_t>(7, static_cast<std::size_t>(8 * std::max(0.0, height)))];
  }
  return text;
}

std::string unit_of(const Metric& metric) {
  return std::string(metric.unit) == "1" ? "" : fmt::format(" {}", metric.unit);
}

std::string text_of(const TrendPoint& point) {
  const std::string commit = point.commit.empty() ? "unknown commit" : point.commit.substr(0, 12);
  const std::string text = fmt::format("{}  {}{}  ", point.created, commit, point.dirty ? " (dirty)" : "");
  return text + shortened_path(point.file, kTerminalColumns - kIndent - 8 - text.size());
}

std::string change_text(const Trend& trend, const StepChange& step) {
  std::string text =
      fmt::format("{} -> {}{}", format_number(step.before), format_number(step.after), unit_of(*trend.metric));
  if (trend.metric->better != Better::kUnchanged) text += fmt::format(", ratio {:.3f}", step.after / step.before);
  return trend.metric->nature == Nature::kExact ? text : text + fmt::format(", p {:.2g}", step.p_value);
}

void print_step(const Trend& trend, const StepChange& step) {
  constexpr std::size_t kMostShown = 4;
  print_line(0, fmt::format("{:<10} {}: {}", step.worse ? "worse" : "better", trend.case_name, trend.metric->name));
  print_line(kIndent, change_text(trend, step));
  if (trend.judged_by != trend.metric)
    print_line(kIndent, fmt::format("relative to the machine's speed ratio {:.3f}, judged by {}", step.ratio,
                                    trend.judged_by->name));
  print_line(kIndent, fmt::format("since   {}", text_of(trend.points[step.index])));
  print_line(kIndent, fmt::format("before  {}", text_of(trend.points[step.index - 1])));
  for (std::size_t i = 0; i < std::min(kMostShown, step.also_changed.size()); ++i)
    print_line(kIndent, "with    " + step.also_changed[i]);
  if (step.also_changed.size() > kMostShown)
    print_line(kIndent, fmt::format("with    {} more changes", step.also_changed.size() - kMostShown));
  print_line(kIndent,
             fmt::format("{} reports of {}, {}, {}", trend.points.size(), trend.suite, trend.machine, trend.device));
  print_line(kIndent, sparkline(trend, kTerminalColumns - kIndent));
  std::cout << "\n";
}

/// The newest first, as git log.
void print_steps(const std::vector<Trend>& trends) {
  std::vector<std::pair<const Trend*, const StepChange*>> steps;
  for (const auto& trend : trends)
    for (const auto& step : trend.steps) steps.push_back({&trend, &step});
  std::stable_sort(steps.begin(), steps.end(), [](const auto& a, const auto& b) {
    return a.first->points[a.second->index].created > b.first->points[b.second->index].created;
  });
  for (const auto& [trend, step] : steps) print_step(*trend, *step);
  if (steps.empty()) std::cout << "no step changes\n\n";
}

void print_unchanged(const std::vector<Trend>& trends) {
  std::string group;
  for (const auto& trend : trends) {
    if (!trend.steps.empty()) continue;
    if (const std::string now = fmt::format("{}, {}, {}", trend.suite, trend.machine, trend.device); now != group) {
      if (!group.empty()) std::cout << "\n";
      print_line(0, "without changes (median, reports): " + now);
      group = now;
    }
    std::vector<double> values;
    for (const auto& point : trend.points) values.push_back(point.estimate.value);
    print_line(2, fmt::format("{} {:<26} {:>20} {:>3}  {}", padded(shortened(trend.case_name, 25), 25),
                              trend.metric->name, format_number(quantile(values, 0.5)) + unit_of(*trend.metric),
                              values.size(), sparkline(trend, 18)));
  }
  if (!group.empty()) std::cout << "\n";
}

void print_summary(const Found& found) {
  std::size_t steps = 0, worse = 0, short_ones = 0;
  for (const auto& trend : found.trends) {
    steps += trend.steps.size();
    worse += static_cast<std::size_t>(
        std::count_if(trend.steps.begin(), trend.steps.end(), [](const auto& s) { return s.worse; }));
    if (trend.metric->nature == Nature::kTimed && trend.points.size() < kFewestTimedValues) ++short_ones;
  }
  const auto plural = [](std::size_t n, const char* what) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
  };
  print_line(0, fmt::format("{} of {}, {}, {} ({} worse)", plural(found.reports, "report"),
                            plural(found.machines.size(), "machine"), plural(found.trends.size(), "trend"),
                            plural(steps, "step change"), worse));
  if (short_ones > 0)
    print_line(0, fmt::format("{} of a timed metric with fewer than {} reports: too few to tell a change from noise",
                              plural(short_ones, "trend"), kFewestTimedValues));
  if (!found.skipped.empty()) print_line(0, fmt::format("{} skipped:", plural(found.skipped.size(), "file")));
  for (const auto& one : found.skipped) print_line(2, one);
}

const char* better_name(Better better) {
  return better == Better::kHigher ? "higher" : better == Better::kLower ? "lower" : "unchanged";
}

Json point_json(const TrendPoint& point) {
  return {{"created", point.created},
          {"commit", point.commit},
          {"dirty", point.dirty},
          {"file", point.file},
          {"value", number_or_null(point.estimate.value)},
          {"low", number_or_null(point.estimate.low)},
          {"high", number_or_null(point.estimate.high)},
          {"n", point.estimate.n},
          {"judged", number_or_null(point.judged)}};
}

Json step_json(const Trend& trend, const StepChange& step) {
  const TrendPoint &first = trend.points[step.index], &last_before = trend.points[step.index - 1];
  return {
      {"index", step.index},
      {"worse", step.worse},
      {"before", number_or_null(step.before)},
      {"after", number_or_null(step.after)},
      {"ratio", number_or_null(step.ratio)},
      {"p_value", step.p_value},
      {"since", {{"created", first.created}, {"commit", first.commit}, {"dirty", first.dirty}}},
      {"last_before", {{"created", last_before.created}, {"commit", last_before.commit}, {"dirty", last_before.dirty}}},
      {"also_changed", step.also_changed}};
}

Json to_json(const Trend& trend) {
  Json json = {{"suite", trend.suite},
               {"machine", trend.machine},
               {"device", trend.device},
               {"case", trend.case_name},
               {"metric", trend.metric->name},
               {"unit", trend.metric->unit},
               {"better", better_name(trend.metric->better)},
               {"judged_by", trend.judged_by->name},
               {"points", Json::array()},
               {"steps", Json::array()}};
  for (const auto& point : trend.points) json["points"].push_back(point_json(point));
  for (const auto& step : trend.steps) json["steps"].push_back(step_json(trend, step));
  return json;
}

void print_json(const Found& found) {
  Json json = {{"reports", found.reports}, {"skipped", found.skipped}, {"trends", Json::array()}};
  for (const auto& trend : found.trends) json["trends"].push_back(to_json(trend));
  std::cout << json.dump(2, ' ', false, Json::error_handler_t::replace) << "\n";
}

/// The trends that the options ask for; finding none is a mistake in them.
std::vector<Trend> wanted(std::vector<Trend> trends, const Options& options) {
  std::set<std::string> cases, metrics;
  for (const auto& trend : trends) cases.insert(trend.case_name), metrics.insert(trend.metric->name);
  std::erase_if(trends, [&](const Trend& trend) {
    return !matches_glob(trend.case_name, options.case_glob) || !matches_glob(trend.metric->name, options.metric_glob);
  });
  if (trends.empty() && cases.empty())
    throw Error(options.folder, "no case of its reports has a metric that can be compared",
                "bench render shows why a case didn't work");
  if (trends.empty())
    throw Error(
        "--case, --metric",
        fmt::format("no trend of a case like '{}' and a metric like '{}'", options.case_glob, options.metric_glob),
        fmt::format("cases: {}; metrics: {}", fmt::join(cases, ", "), fmt::join(metrics, ", ")));
  return trends;
}

Found find(const Options& options) {
  Found found;
  std::vector<DatedReport> reports = read_reports(options.folder, found.skipped);
  found.reports = reports.size();
  for (const auto& one : reports) found.machines.insert(one.report.machine());
  found.trends = wanted(find_trends(std::move(reports)), options);
  return found;
}

void run(const Options& options) {
  const Found found = find(options);
  if (!options.html.empty())
    write_file_atomically(options.html, [&](std::ostream& out) { write_history_html(found.trends, out); });
  if (options.json) return print_json(found);
  print_steps(found.trends);
  if (options.all) print_unchanged(found.trends);
  print_summary(found);
  if (!options.html.empty()) std::cout << options.html << "\n";
}

}  // namespace

void add_history(CLI::App& app, Exit&) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand(
      "history", "Find step changes over many reports and the commit where each began; exits 0 whatever it finds");
  verb->add_option("folder", options->folder, "every report.json below it is read")->required();
  verb->add_option("--case", options->case_glob, "only cases whose name matches, * and ? as in a shell")
      ->capture_default_str();
  verb->add_option("--metric", options->metric_glob, "only metrics whose name matches")->capture_default_str();
  verb->add_flag("--all", options->all, "show the trends without changes too");
  verb->add_flag("--json", options->json, "everything as JSON instead");
  verb->add_option("--html", options->html, "write charts of all trends into this file too");
  verb->callback([options] { run(*options); });
}

}  // namespace bench::harness
