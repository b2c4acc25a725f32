#include "harness/cli/history_text.h"
#include "harness/cli/verbs.h"
#include "harness/core/files.h"
#include "harness/core/names.h"
#include "harness/reports/reports.h"

#include <iostream>
#include <memory>

#include <fmt/ranges.h>

namespace bench::harness {
namespace {

struct Options {
  std::string folder, case_glob = "*", metric_glob = "*", html;
  bool all = false, json = false;
};

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

Json report_json(const TrendPoint& point) {
  return {{"created", point.created}, {"commit", point.commit}, {"dirty", point.dirty}};
}

Json step_json(const Trend& trend, const StepChange& step) {
  return {{"index", step.index},
          {"worse", step.worse},
          {"to_no_number", step.to_no_number()},
          {"before", number_or_null(step.before)},
          {"after", number_or_null(step.after)},
          {"ratio", number_or_null(step.ratio)},
          {"p_value", step.p_value},
          {"since", report_json(trend.points[step.index])},
          {"last_before", step.index > 0 ? report_json(trend.points[step.index - 1]) : Json()},
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

void print_json(const HistoryFound& found) {
  Json json = {{"reports", found.reports}, {"skipped", found.skipped}, {"trends", Json::array()}};
  for (const auto& trend : found.trends) json["trends"].push_back(to_json(trend));
  std::cout << dumped(json, 2) << "\n";
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

HistoryFound find(const Options& options) {
  HistoryFound found;
  std::vector<DatedReport> reports = read_reports(options.folder, found.skipped);
  found.reports = reports.size();
  for (const auto& one : reports) found.machines.insert(one.report.machine());
  found.trends = wanted(find_trends(std::move(reports)), options);
  return found;
}

void run(const Options& options) {
  const HistoryFound found = find(options);
  if (!options.html.empty())
    write_file_atomically(options.html, [&](std::ostream& out) { write_history_html(found.trends, out); });
  if (options.json) return print_json(found);
  write_history_text(found, options.all, std::cout);
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
