#include "harness/cli/history_text.h"

#include "harness/reports/reports.h"
#include "harness/reports/text.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

namespace bench::harness {
namespace {

constexpr std::size_t kIndent = 11;

/// The end of a path, which says more than its beginning.
std::string shortened_path(const std::string& path, std::size_t width) {
  std::size_t begin = 0;
  while (columns(path.substr(begin)) > width - (begin == 0 ? 0 : 3)) next_character(path, begin);
  return one_line((begin == 0 ? "" : "...") + path.substr(begin));
}

void print_line(std::size_t indent, const std::string& text, std::ostream& out) {
  out << std::string(indent, ' ') << shortened(text, kTerminalColumns - indent) << "\n";
}

/// Draws the last values as blocks of eight heights; a value that is not a number is drawn as a cross. Noise of a few
/// percent stays flat.
std::string sparkline(const Trend& trend, std::size_t width) {
  static constexpr const char* kBlocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr double kLeastRange = 0.1;  // of the value in the middle
  std::vector<double> values;
  for (const auto& point : trend.points) values.push_back(point.judged);
  if (values.size() > width) values.erase(values.begin(), values.end() - static_cast<std::ptrdiff_t>(width));
  std::vector<double> numbers = values;
  std::erase_if(numbers, [](double value) { return !std::isfinite(value); });
  const auto [low, high] =
      numbers.empty() ? std::pair(0.0, 0.0) : std::pair(std::ranges::min(numbers), std::ranges::max(numbers));
  const double middle = (low + high) / 2;
  const double range = std::max(high - low, kLeastRange * std::fabs(middle));
  std::string text;
  for (const double value : values) {
    if (!std::isfinite(value)) {
      text += "×";
      continue;
    }
    const double height = range > 0 && std::isfinite(range) ? (value - middle) / range + 0.5 : 0.5;
    text += kBlocks[std::min<std::size_t>(7, static_cast<std::size_t>(8 * std::max(0.0, height)))];
  }
  return text;
}

std::string commit_text(const TrendPoint& point) {
  return (point.commit.empty() ? "unknown commit" : point.commit.substr(0, 12)) + (point.dirty ? " (dirty)" : "");
}

std::string text_of(const TrendPoint& point) {
  const std::string text = fmt::format("{}  {}  ", point.created, commit_text(point));
  return text + shortened_path(point.file, kTerminalColumns - kIndent - 8 - text.size());
}

std::string change_text(const Trend& trend, const StepChange& step) {
  if (step.to_no_number())
    return fmt::format("is not a number since {}{}", commit_text(trend.points[step.index]),
                       std::isfinite(step.before)
                           ? fmt::format(", before {}{}", format_number(step.before), unit_suffix(trend.metric->unit))
                           : "");
  std::string text =
      fmt::format("{} -> {}{}", format_number(step.before), format_number(step.after), unit_suffix(trend.metric->unit));
  if (trend.metric->better != Better::kUnchanged) text += fmt::format(", ratio {:.3f}", step.after / step.before);
  return trend.metric->nature == Nature::kExact ? text : text + fmt::format(", p {:.2g}", step.p_value);
}

void print_step(const Trend& trend, const StepChange& step, std::ostream& out) {
  constexpr std::size_t kMostShown = 4;
  print_line(0, fmt::format("{:<10} {}: {}", step.worse ? "worse" : "better", trend.case_name, trend.metric->name),
             out);
  print_line(kIndent, change_text(trend, step), out);
  if (trend.judged_by != trend.metric && !step.to_no_number())
    print_line(
        kIndent,
        fmt::format("relative to the machine's speed ratio {:.3f}, judged by {}", step.ratio, trend.judged_by->name),
        out);
  print_line(kIndent, fmt::format("since   {}", text_of(trend.points[step.index])), out);
  if (step.index > 0) print_line(kIndent, fmt::format("before  {}", text_of(trend.points[step.index - 1])), out);
  for (std::size_t i = 0; i < std::min(kMostShown, step.also_changed.size()); ++i)
    print_line(kIndent, "with    " + step.also_changed[i], out);
  if (step.also_changed.size() > kMostShown)
    print_line(kIndent, fmt::format("with    {} more changes", step.also_changed.size() - kMostShown), out);
  print_line(kIndent,
             fmt::format("{} reports of {}, {}, {}", trend.points.size(), trend.suite, trend.machine, trend.device),
             out);
  print_line(kIndent, sparkline(trend, kTerminalColumns - kIndent), out);
  out << "\n";
}

/// Prints the newest change first, as git log does.
void print_steps(const std::vector<Trend>& trends, std::ostream& out) {
  std::vector<std::pair<const Trend*, const StepChange*>> steps;
  for (const auto& trend : trends)
    for (const auto& step : trend.steps) steps.push_back({&trend, &step});
  std::ranges::stable_sort(steps, std::ranges::greater{}, [](const auto& step) -> const std::string& {
    return step.first->points[step.second->index].created;
  });
  for (const auto& [trend, step] : steps) print_step(*trend, *step, out);
  if (steps.empty()) out << "no step changes\n\n";
}

std::vector<double> numbers_of(const Trend& trend) {
  std::vector<double> values;
  for (const auto& point : trend.points)
    if (point.is_number()) values.push_back(point.estimate.value);
  return values;
}

void print_unchanged(const std::vector<Trend>& trends, std::ostream& out) {
  std::string group;
  for (const auto& trend : trends) {
    if (!trend.steps.empty()) continue;
    if (const std::string now = fmt::format("{}, {}, {}", trend.suite, trend.machine, trend.device); now != group) {
      if (!group.empty()) out << "\n";
      print_line(0, "without changes (median, reports): " + now, out);
      group = now;
    }
    const std::vector<double> values = numbers_of(trend);
    print_line(2,
               fmt::format("{} {:<26} {:>20} {:>3}  {}", padded(shortened(trend.case_name, 25), 25), trend.metric->name,
                           format_number(quantile(values, 0.5)) + unit_suffix(trend.metric->unit), trend.points.size(),
                           sparkline(trend, 18)),
               out);
  }
  if (!group.empty()) out << "\n";
}

/// Prints values that are not numbers although later ones are. No step tells of them.
void print_passing_faults(const std::vector<Trend>& trends, std::ostream& out) {
  for (const auto& trend : trends) {
    const bool ends_so = !trend.steps.empty() && trend.steps.back().to_no_number();
    const std::size_t end = ends_so ? trend.steps.back().index : trend.points.size();
    for (std::size_t i = 0; i < end; ++i)
      if (const TrendPoint& point = trend.points[i]; !point.is_number())
        print_line(0, fmt::format("{}: {} is not a number in {}", trend.case_name, trend.metric->name, point.file),
                   out);
  }
}

void print_summary(const HistoryFound& found, std::ostream& out) {
  std::size_t steps = 0, worse = 0, short_ones = 0;
  for (const auto& trend : found.trends) {
    steps += trend.steps.size();
    worse += static_cast<std::size_t>(std::ranges::count_if(trend.steps, &StepChange::worse));
    if (trend.metric->nature == Nature::kTimed && numbers_of(trend).size() < kFewestTimedValues) ++short_ones;
  }
  print_line(0,
             fmt::format("{} of {}, {}, {} ({} worse)", plural(found.reports, "report"),
                         plural(found.machines.size(), "machine"), plural(found.trends.size(), "trend"),
                         plural(steps, "step change"), worse),
             out);
  if (short_ones > 0)
    print_line(0,
               fmt::format("{} of a timed metric with fewer than {} reports: too few to tell a change from noise",
                           plural(short_ones, "trend"), kFewestTimedValues),
               out);
  print_passing_faults(found.trends, out);
  if (!found.skipped.empty()) print_line(0, fmt::format("{} skipped:", plural(found.skipped.size(), "file")), out);
  for (const auto& one : found.skipped) print_line(2, one, out);
}

}  // namespace

void write_history_text(const HistoryFound& found, bool unchanged_too, std::ostream& out) {
  print_steps(found.trends, out);
  if (unchanged_too) print_unchanged(found.trends, out);
  print_summary(found, out);
}

}  // namespace bench::harness
