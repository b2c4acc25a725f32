#include "harness/comparison/history.h"

#include "harness/core/files.h"
#include "harness/core/hash.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <tuple>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

constexpr double kNoRatio = std::numeric_limits<double>::quiet_NaN();

/// Where a point of a trend comes from. It is needed only while the reports are still in memory.
struct Source {
  const Report* report;
  const CaseResult* result;
};

std::string shown(const Json& json) {
  const std::string text = json.is_string() ? json.get<std::string>() : dumped(json);
  return text.size() <= 30 ? text : text.substr(0, 27) + "...";
}

void collect_changes(const std::string& prefix, const Json& before, const Json& after, std::vector<std::string>& out) {
  const Json missing = "-";
  for (const auto& [key, value] : before.items())
    if (const Json now = after.value(key, missing); now != value)
      out.push_back(fmt::format("{}{}: {} -> {}", prefix, key, shown(value), shown(now)));
  for (const auto& [key, value] : after.items())
    if (!before.contains(key)) out.push_back(fmt::format("{}{}: - -> {}", prefix, key, shown(value)));
}

/// The parts of an environment, besides the commit, that can change a measured number.
Json surroundings(const Json& environment) {
  Json json = Json::object();
  for (const char* key : {"system", "kernel", "threads", "compiler", "flags", "build_type", "torch_version",
                          "cpu_capability", "blas", "openmp_runtimes", "waiting"})
    if (environment.contains(key)) json[key] = environment.at(key);
  return json;
}

Json flat(const Json& json) { return json.is_object() && !json.empty() ? json.flatten() : Json::object(); }

std::vector<std::string> changes_between(const Source& before, const Source& after) {
  const Record &a = before.result->record(), &b = after.result->record();
  std::vector<std::string> changes;
  collect_changes("config", flat(a.config), flat(b.config), changes);
  collect_changes("input ", Json(a.inputs), Json(b.inputs), changes);
  collect_changes("", surroundings(before.report->environment), surroundings(after.report->environment), changes);
  return changes;
}

std::string text_of(const Json& environment, const char* key) {
  return environment.contains(key) && environment.at(key).is_string() ? environment.at(key).get<std::string>() : "";
}

TrendPoint point_of(const DatedReport& one, const Estimate& estimate) {
  const Json& environment = one.report.environment;
  const bool dirty = environment.contains("dirty") && environment.at("dirty") == true;
  return {one.report.created, text_of(environment, "commit"), one.file, dirty, estimate, estimate.value};
}

/// Lets the trend be judged by the metric's share, if every point that is a number has a share.
void judge_by_share(Trend& trend, const std::vector<Source>& sources) {
  trend.judged_by = trend.metric;
  const Metric* share = trend.metric->share ? find_metric(trend.metric->share) : nullptr;
  if (!share) return;
  std::vector<double> values;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const Estimate* estimate = find_estimate(*sources[i].result, share->name);
    const bool has_share = estimate && estimate->value > 0 && std::isfinite(estimate->value);
    if (!has_share && trend.points[i].is_number()) return;
    values.push_back(trend.points[i].is_number() ? estimate->value : trend.points[i].estimate.value);
  }
  trend.judged_by = share;
  for (std::size_t i = 0; i < values.size(); ++i) trend.points[i].judged = values[i];
}

std::vector<double> values_of(const Trend& trend, double (*value)(const TrendPoint&)) {
  std::vector<double> values;
  for (const auto& point : trend.points) values.push_back(value(point));
  return values;
}

/// The index of the first point of the trailing points that are not numbers. It is the trend's size if the trend ends
/// with a number.
std::size_t end_of_numbers(const Trend& trend) {
  const auto last = std::ranges::find_if(trend.points.rbegin(), trend.points.rend(), &TrendPoint::is_number);
  return static_cast<std::size_t>(trend.points.rend() - last);
}

void judge(Trend& trend, const std::vector<Source>& sources) {
  judge_by_share(trend, sources);
  const std::size_t end = end_of_numbers(trend);
  auto judged = values_of(trend, [](const TrendPoint& p) { return p.judged; });
  judged.resize(end);
  trend.steps = find_steps(judged, trend.judged_by->better, trend.judged_by->nature, trend.judged_by->tolerance);
  // A step to no number needs no statistics, however few points there are.
  if (end < trend.points.size()) trend.steps.push_back({.index = end, .ratio = kNoRatio, .p_value = 0, .worse = true});
  set_levels(values_of(trend, [](const TrendPoint& p) { return p.estimate.value; }), trend.steps);
  for (auto& step : trend.steps) {
    if (trend.judged_by->better != trend.metric->better) step.ratio = 1 / step.ratio;  // a time, judged by a rate
    if (step.index > 0) step.also_changed = changes_between(sources[step.index - 1], sources[step.index]);
  }
}

/// Collects the report files. It doesn't use std::filesystem's recursive iterator, which would stop at the first folder
/// that can't be read.
void collect_files(const fs::path& folder, std::vector<fs::path>& files, std::vector<std::string>& skipped) {
  std::error_code failed;
  fs::directory_iterator entry(folder, failed);
  for (; !failed && entry != fs::directory_iterator(); entry.increment(failed)) {
    std::error_code unknown;
    if (entry->is_directory(unknown)) {
      if (!entry->is_symlink(unknown)) collect_files(entry->path(), files, skipped);
    } else if (entry->path().filename() == "report.json") {
      if (entry->is_regular_file(unknown))
        files.push_back(entry->path());
      else
        skipped.push_back(entry->path().string() + ": is not a file");
    }
  }
  if (failed) skipped.push_back(fmt::format("{}: cannot be read: {}", folder.string(), failed.message()));
}

void read_one(const fs::path& file, std::map<std::string, std::string>& known, std::vector<DatedReport>& reports,
              std::vector<std::string>& skipped) {
  try {
    const auto [same, is_new] = known.emplace(xxh128_file(file), file.string());
    if (is_new)
      reports.push_back({file.string(), read_report(file)});
    else
      skipped.push_back(fmt::format("{}: is the same as {}", file.string(), same->second));
  } catch (const Error& e) {
    skipped.push_back(fmt::format("{}: {}", e.where().empty() ? file.string() : e.where(), e.message()));
  } catch (const std::exception& e) {
    skipped.push_back(fmt::format("{}: {}", file.string(), e.what()));
  }
}

}  // namespace

std::vector<Trend> find_trends(std::vector<DatedReport> reports) {
  std::ranges::sort(reports, {}, [](const DatedReport& one) { return std::tie(one.report.created, one.file); });
  struct Found {
    Trend trend;
    std::vector<Source> sources;
  };
  std::map<std::tuple<std::string, std::string, std::string, std::string, const Metric*>, Found> found;
  for (const auto& one : reports)
    for (const auto& result : one.report.cases)
      for (const auto& [metric, estimate] : result.metrics) {
        if (!metric->compared || estimate.n == 0) continue;
        if (metric->nature == Nature::kExact && !undone(*metric, result.record()).empty()) continue;
        const std::string machine = one.report.machine();
        auto& [trend, sources] = found[{one.report.suite, machine, one.report.device, result.name, metric}];
        trend.suite = one.report.suite, trend.machine = machine, trend.device = one.report.device;
        trend.case_name = result.name, trend.metric = metric;
        trend.points.push_back(point_of(one, estimate));
        sources.push_back({&one.report, &result});
      }
  std::vector<Trend> trends;
  for (auto& [key, one] : found) {
    judge(one.trend, one.sources);
    trends.push_back(std::move(one.trend));
  }
  return trends;
}

std::vector<DatedReport> read_reports(const fs::path& folder, std::vector<std::string>& skipped) {
  constexpr const char* kHint = "bench run SUITE --out FOLDER writes a report.json into FOLDER";
  std::error_code unknown;
  if (!fs::is_directory(folder, unknown))
    throw Error(folder.string(), fs::exists(folder, unknown) ? "is not a folder" : "no such folder", kHint);
  std::vector<fs::path> files;
  collect_files(folder, files, skipped);
  std::ranges::sort(files);
  std::vector<DatedReport> reports;
  std::map<std::string, std::string> known;  // copies would count as measurements of their own
  for (const auto& file : files) read_one(file, known, reports, skipped);
  if (reports.empty())
    throw Error(folder.string(),
                skipped.empty() ? "has no report.json below it"
                                : fmt::format("has no readable report.json below it; of {} skipped the first is {}",
                                              skipped.size(), skipped.front()),
                kHint);
  return reports;
}

}  // namespace bench::harness
