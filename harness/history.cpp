#include "harness/history.h"

#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/random.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <tuple>

namespace bench::harness {
namespace fs = std::filesystem;
namespace {

// The least number of reports between two changes of a timed metric: one or two off the level are outliers.
constexpr std::size_t kShortest = 3;
constexpr double kSignificance = 0.01;
// Smaller changes of a timed metric are real at times but nobody's doing: where the linker happens to put code and data
// moves times by one or two percent.
constexpr double kLeastEffect = 0.02;
constexpr std::size_t kPermutations = 1999;
// So many permutations as extreme as the series leave no doubt that p is above the significance, however the rest are.
constexpr std::size_t kEnoughExtremes = 20;
static_assert((1.0 + kEnoughExtremes) / (1.0 + kPermutations) > kSignificance);
constexpr std::uint64_t kSeed = 20130612;
constexpr double kRoundingOfScores = 1e-9;

using Values = std::span<const double>;

/// The level of a stretch of values: their median. Interpolating infinities gives NaN; a stretch that has them has
/// nothing else.
double level_of(Values values) {
  const double level = quantile({values.begin(), values.end()}, 0.5);
  return std::isnan(level) && !values.empty() ? values.front() : level;
}

double relative_effect(double a, double b) { return std::fabs(a - b) / std::min(std::fabs(a), std::fabs(b)); }

/// Mid-ranks from 1.
std::vector<double> ranks_of(Values values) {
  std::vector<double> sorted(values.begin(), values.end()), ranks;
  std::sort(sorted.begin(), sorted.end());
  for (const double value : values) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), value);
    ranks.push_back(static_cast<double>((first - sorted.begin()) + (last - sorted.begin()) + 1) / 2);
  }
  return ranks;
}

/// values[begin, end) against all others, and how far their ranks are from what chance gives, in standard deviations.
struct Stretch {
  std::size_t begin = 0, end = 0;
  double score = 0;
};

/// The standardized Mann-Whitney statistic: how far the sum of `count` of the ranks 1..n is from its mean.
struct RankSumScore {
  double mean, deviation;
  RankSumScore(std::size_t count, std::size_t n) {
    const auto m = static_cast<double>(count), all = static_cast<double>(n);
    mean = m * (all + 1) / 2;
    deviation = std::sqrt(m * (all - m) * (all + 1) / 12);
  }
  double operator()(double rank_sum) const { return std::fabs(rank_sum - mean) / deviation; }
};

std::vector<double> running_sum(Values ranks) {
  std::vector<double> sums{0};
  for (const double rank : ranks) sums.push_back(sums.back() + rank);
  return sums;
}

/// The beginning that differs most from the rest: where the series changes, if it does so once.
Stretch most_different_beginning(Values ranks) {
  const std::vector<double> sums = running_sum(ranks);
  Stretch best;
  for (std::size_t end = kShortest; end + kShortest <= ranks.size(); ++end)
    if (const double score = RankSumScore(end, ranks.size())(sums[end]); score > best.score) best = {0, end, score};
  return best;
}

/// The stretch inside that differs most from the rest: two changes, of which the second takes the first back, hide each
/// other from the search for one.
Stretch most_different_middle(Values ranks) {
  const std::size_t n = ranks.size();
  const std::vector<double> sums = running_sum(ranks);
  Stretch best;
  for (std::size_t count = kShortest; count + 2 * kShortest <= n; ++count) {
    const RankSumScore score(count, n);
    for (std::size_t begin = kShortest; begin + count + kShortest <= n; ++begin)
      if (const double found = score(sums[begin + count] - sums[begin]); found > best.score)
        best = {begin, begin + count, found};
  }
  return best;
}

/// How often such a score is found somewhere in a series without changes, in which any order is equally likely. Above
/// the significance it is only roughly known.
double permutation_p_value(std::vector<double> ranks, double least, Stretch (*search)(Values)) {
  std::mt19937_64 generator(kSeed);
  std::size_t done = 0, as_extreme = 0;
  while (done < kPermutations && as_extreme < kEnoughExtremes) {
    shuffle(ranks, generator);
    if (search(ranks).score >= least - kRoundingOfScores) ++as_extreme;
    ++done;
  }
  return static_cast<double>(1 + as_extreme) / static_cast<double>(1 + done);
}

/// What to split a series by, or nothing.
std::optional<Stretch> find_stretch(const std::vector<double>& ranks) {
  for (auto* search : {most_different_beginning, most_different_middle})
    if (const Stretch found = search(ranks); permutation_p_value(ranks, found.score, search) < kSignificance)
      return found;
  return {};
}

/// Finds the changes of values[begin, end) in order: those at the ends of the most different stretch, then those
/// before, in and after it.
void segment(Values values, std::size_t begin, std::size_t end, std::vector<StepChange>& steps) {
  if (end - begin < kFewestTimedValues) return;
  const auto found = find_stretch(ranks_of(values.subspan(begin, end - begin)));
  if (!found) return;
  const std::size_t first = begin + found->begin, last = begin + found->end;
  segment(values, begin, first, steps);
  if (first > begin) steps.push_back({.index = first});
  segment(values, first, last, steps);
  steps.push_back({.index = last});
  segment(values, last, end, steps);
}

double absolute_deviation(Values values) {
  const double level = level_of(values);
  double sum = 0;
  for (const double value : values) sum += std::fabs(value - level);
  return sum;
}

/// Where two levels fit the values best. By ranks alone the place of even the plainest change is off where the last
/// value before it happens to be the most extreme on its side.
std::size_t best_fit(Values values) {
  std::size_t best = kShortest;
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t at = kShortest; at + kShortest <= values.size(); ++at) {
    const double deviation = absolute_deviation(values.first(at)) + absolute_deviation(values.subspan(at));
    if (deviation < least) least = deviation, best = at;
  }
  return best;
}

/// Moves each change to where it fits best between its neighbours, and tests whether there is one.
void fit(Values values, std::vector<StepChange>& steps) {
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::size_t begin = i == 0 ? 0 : steps[i - 1].index;
    const std::size_t end = i + 1 < steps.size() ? steps[i + 1].index : values.size();
    const Values part = values.subspan(begin, end - begin);
    const std::vector<double> ranks = ranks_of(part);
    steps[i].index = begin + best_fit(part);
    steps[i].p_value = permutation_p_value(ranks, most_different_beginning(ranks).score, most_different_beginning);
  }
}

/// Drops changes that the search made of the edges of others: such a one doesn't stand the test between its neighbours.
void drop_doubtful(Values values, std::vector<StepChange>& steps) {
  while (!steps.empty()) {
    fit(values, steps);
    const auto most_doubtful = std::max_element(steps.begin(), steps.end(),
                                                [](const auto& a, const auto& b) { return a.p_value < b.p_value; });
    if (most_doubtful->p_value < kSignificance) return;
    steps.erase(most_doubtful);
  }
}

/// Gives each change the levels on both sides of it.
void set_levels(Values values, std::vector<StepChange>& steps) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::size_t at = steps[i].index, end = i + 1 < steps.size() ? steps[i + 1].index : values.size();
    steps[i].before = level_of(values.subspan(begin, at - begin));
    steps[i].after = level_of(values.subspan(at, end - at));
    begin = at;
  }
}

/// Drops changes too small to matter, the smallest first, since each joins two stretches and so moves their level.
void drop_small(Values values, std::vector<StepChange>& steps) {
  while (!steps.empty()) {
    set_levels(values, steps);
    const auto effect = [](const StepChange& step) { return relative_effect(step.before, step.after); };
    const auto smallest = std::min_element(steps.begin(), steps.end(),
                                           [&](const auto& a, const auto& b) { return effect(a) < effect(b); });
    if (effect(*smallest) >= kLeastEffect) return;
    steps.erase(smallest);
  }
}

std::vector<StepChange> timed_steps(Values values) {
  std::vector<StepChange> steps;
  segment(values, 0, values.size(), steps);
  drop_doubtful(values, steps);
  drop_small(values, steps);
  return steps;
}

bool differs(double value, double level, double tolerance) {
  if (!std::isfinite(value) || !std::isfinite(level)) return value != level;
  return std::fabs(value - level) > tolerance * std::fabs(level);
}

std::vector<StepChange> exact_steps(Values values, double tolerance) {
  std::vector<StepChange> steps;
  std::size_t begin = 0;
  for (std::size_t i = 1; i < values.size(); ++i) {
    // Against the level, not the value before: many changes within the tolerance add up.
    if (!differs(values[i], level_of(values.subspan(begin, i - begin)), tolerance)) continue;
    steps.push_back({.index = i, .p_value = 0});
    begin = i;
  }
  return steps;
}

bool got_worse(const StepChange& step, Better better) {
  return better == Better::kUnchanged || (step.after > step.before) != (better == Better::kHigher);
}

/// A point of a trend, before its report is forgotten.
struct Source {
  const Report* report;
  const CaseResult* result;
};

std::string shown(const Json& json) {
  const std::string text = json.is_string() ? json.get<std::string>() : json.dump();
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

/// Of an environment what can move a number besides the commit.
Json surroundings(const Json& environment) {
  Json json = Json::object();
  for (const char* key : {"system", "kernel", "threads", "compiler", "flags", "build_type", "torch_version",
                          "cpu_capability", "blas", "openmp_runtimes"})
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

/// Lets the trend be judged by the metric's share, if every point has that.
void judge_by_share(Trend& trend, const std::vector<Source>& sources) {
  trend.judged_by = trend.metric;
  const Metric* share = trend.metric->share ? find_metric(trend.metric->share) : nullptr;
  if (!share) return;
  std::vector<double> values;
  for (const auto& source : sources) {
    const Estimate* estimate = find_estimate(*source.result, share->name);
    if (!estimate || !(estimate->value > 0) || std::isinf(estimate->value)) return;
    values.push_back(estimate->value);
  }
  trend.judged_by = share;
  for (std::size_t i = 0; i < values.size(); ++i) trend.points[i].judged = values[i];
}

std::vector<double> values_of(const Trend& trend, double (*value)(const TrendPoint&)) {
  std::vector<double> values;
  for (const auto& point : trend.points) values.push_back(value(point));
  return values;
}

void judge(Trend& trend, const std::vector<Source>& sources) {
  judge_by_share(trend, sources);
  trend.steps = find_steps(values_of(trend, [](const TrendPoint& p) { return p.judged; }), trend.judged_by->better,
                           trend.judged_by->nature, trend.judged_by->tolerance);
  set_levels(values_of(trend, [](const TrendPoint& p) { return p.estimate.value; }), trend.steps);
  for (auto& step : trend.steps) {
    if (trend.judged_by->better != trend.metric->better) step.ratio = 1 / step.ratio;  // a time: its share is a rate's
    step.also_changed = changes_between(sources[step.index - 1], sources[step.index]);
  }
}

/// Not std::filesystem's recursive iterator: one folder that can't be read would end it.
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

std::vector<StepChange> find_steps(const std::vector<double>& values, Better better, Nature nature, double tolerance) {
  std::vector<double> kept;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isnan(values[i]) || (nature == Nature::kTimed && std::isinf(values[i]))) continue;
    kept.push_back(values[i]);
    places.push_back(i);
  }
  std::vector<StepChange> steps = nature == Nature::kExact ? exact_steps(kept, tolerance) : timed_steps(kept);
  set_levels(kept, steps);
  for (auto& step : steps) {
    step.index = places[step.index];
    step.ratio = step.after / step.before;
    step.worse = got_worse(step, better);
  }
  return steps;
}

std::vector<Trend> find_trends(std::vector<DatedReport> reports) {
  std::sort(reports.begin(), reports.end(), [](const DatedReport& a, const DatedReport& b) {
    return std::tie(a.report.created, a.file) < std::tie(b.report.created, b.file);
  });
  struct Found {
    Trend trend;
    std::vector<Source> sources;
  };
  std::map<std::tuple<std::string, std::string, std::string, std::string, const Metric*>, Found> found;
  for (const auto& one : reports)
    for (const auto& result : one.report.cases)
      for (const auto& [metric, estimate] : result.metrics) {
        if (!metric->compared || estimate.n == 0 || std::isnan(estimate.value)) continue;
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
  std::sort(files.begin(), files.end());
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
