#include "harness/comparison/step_change.h"

#include "harness/core/random.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace bench::harness {
namespace {

// The least number of reports between two changes of a timed metric. One or two reports off the level are outliers.
constexpr std::size_t kShortest = 3;
constexpr double kSignificance = 0.01;
// Smaller changes of a timed metric may be real, but nobody caused them on purpose: times move by one or two percent
// with where the linker happens to put code and data.
constexpr double kLeastEffect = 0.02;
constexpr std::size_t kPermutations = 1999;
// Once this many permutations are as extreme as the series, p is certainly above the significance level, whatever the
// remaining permutations give.
constexpr std::size_t kEnoughExtremes = 20;
static_assert((1.0 + kEnoughExtremes) / (1.0 + kPermutations) > kSignificance);
constexpr std::uint64_t kSeed = 20130612;
constexpr double kRoundingOfScores = 1e-9;

using Values = std::span<const double>;

/// The level of a stretch of values: their median without NaN values. Interpolating between infinities gives NaN. A
/// stretch that has infinities has no other values, so its first value is the level.
double level_of(Values values) {
  std::vector<double> numbers(values.begin(), values.end());
  std::erase_if(numbers, [](double value) { return std::isnan(value); });
  const double level = quantile(numbers, 0.5);
  return std::isnan(level) && !numbers.empty() ? numbers.front() : level;
}

double relative_effect(double a, double b) { return std::fabs(a - b) / std::min(std::fabs(a), std::fabs(b)); }

/// The mid-ranks of the values, from 1.
std::vector<double> ranks_of(Values values) {
  std::vector<double> sorted(values.begin(), values.end()), ranks;
  std::ranges::sort(sorted);
  for (const double value : values) {
    const auto [first, last] = std::ranges::equal_range(sorted, value);
    ranks.push_back(static_cast<double>((first - sorted.begin()) + (last - sorted.begin()) + 1) / 2);
  }
  return ranks;
}

/// The stretch values[begin, end), and its score: how far its ranks are from what chance gives, in standard deviations.
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

/// The beginning that differs most from the rest. Its end is where the series changes, if the series changes once.
Stretch most_different_beginning(Values ranks) {
  const std::vector<double> sums = running_sum(ranks);
  Stretch best;
  for (std::size_t end = kShortest; end + kShortest <= ranks.size(); ++end)
    if (const double score = RankSumScore(end, ranks.size())(sums[end]); score > best.score) best = {0, end, score};
  return best;
}

/// The stretch inside that differs most from the rest. If a second change takes back the first, the two hide each other
/// from the search for a single change. This search finds them.
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

/// How often a score of at least `least` is found somewhere in a series without changes, in which any order is equally
/// likely. A result above the significance level is only roughly known.
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

/// The stretch to split a series by, or nothing.
std::optional<Stretch> find_stretch(const std::vector<double>& ranks) {
  for (auto* search : {most_different_beginning, most_different_middle})
    if (const Stretch found = search(ranks); permutation_p_value(ranks, found.score, search) < kSignificance)
      return found;
  return {};
}

/// Finds the changes of values[begin, end) in order: the changes at the ends of the most different stretch, and the
/// changes before, in and after that stretch.
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

/// Where two levels fit the values best. Ranks alone would misplace even the plainest change if the last value before
/// it happens to be the most extreme on its side.
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

/// Drops changes that the search found only because of the edges of other changes. They do not pass the test between
/// their neighbours.
void drop_doubtful(Values values, std::vector<StepChange>& steps) {
  while (!steps.empty()) {
    fit(values, steps);
    const auto most_doubtful = std::ranges::max_element(steps, {}, &StepChange::p_value);
    if (most_doubtful->p_value < kSignificance) return;
    steps.erase(most_doubtful);
  }
}

/// Drops changes that are too small to matter, the smallest first. Each dropped change joins two stretches, and so
/// moves their level.
void drop_small(Values values, std::vector<StepChange>& steps) {
  while (!steps.empty()) {
    set_levels(values, steps);
    const auto effect = [](const StepChange& step) { return relative_effect(step.before, step.after); };
    const auto smallest = std::ranges::min_element(steps, {}, effect);
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
    // Compares with the level, not with the value before, because many changes within the tolerance add up.
    if (!differs(values[i], level_of(values.subspan(begin, i - begin)), tolerance)) continue;
    steps.push_back({.index = i, .p_value = 0});
    begin = i;
  }
  return steps;
}

bool got_worse(const StepChange& step, Better better) {
  if (better == Better::kUnchanged) return true;
  // Infinity is never a good value, whichever direction is better.
  if (std::isfinite(step.before) != std::isfinite(step.after)) return std::isfinite(step.before);
  return (step.after > step.before) != (better == Better::kHigher);
}

}  // namespace

void set_levels(std::span<const double> values, std::vector<StepChange>& steps) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::size_t at = steps[i].index, end = i + 1 < steps.size() ? steps[i + 1].index : values.size();
    steps[i].before = level_of(values.subspan(begin, at - begin));
    steps[i].after = level_of(values.subspan(at, end - at));
    begin = at;
  }
}

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

}  // namespace bench::harness
