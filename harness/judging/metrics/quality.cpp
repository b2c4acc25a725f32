#include "harness/judging/metrics/formulas.h"

#include <cmath>
#include <numeric>

namespace bench::harness {
namespace {

using enum Better;
using enum Nature;

/// A quantity of held-out text that is at least `least` for any text. Where the scoring is incomplete (cut short, too
/// few windows, too few tokens compared) it is only an estimate without an upper bound, because another passage would
/// give another value.
Value of_windows(const Record& r, double least, Value value) {
  return r.incomplete().empty() ? value : estimated_within(least, kInfinity, value);
}

Value perplexity(const Record& r) {
  const double mean_nll = r.fact(facts::kNllNats) / r.fact(facts::kScoredTokens);
  return of_windows(r, 1, of_facts(r, {facts::kNllNats, facts::kScoredTokens}, std::exp(mean_nll)));
}

/// The first window is the cold one, which is not timed.
Value scored_tokens_per_s(const Record& r) {
  const auto tokens = r.samples(series::kWindowTokens);
  if (tokens.size() < 2) return {};
  const double all = std::accumulate(tokens.begin() + 1, tokens.end(), 0.0);
  return rate(mean_of(r, series::kWindowTimeS), all / static_cast<double>(tokens.size() - 1));
}

constexpr Metric kMetrics[] = {
    {.name = "perplexity",
     .unit = "1",
     .better = kLower,
     .nature = kExact,
     .cases = "perplexity",
     .meaning = "exp of the mean negative log-likelihood per token on held-out text",
     .formula = perplexity,
     .compared = true,
     .tolerance = kRounding},
    {.name = "bits_per_byte",
     .unit = "bits/byte",
     .better = kLower,
     .nature = kExact,
     .cases = "perplexity",
     .meaning = "negative log2-likelihood per byte of text, comparable across tokenizers",
     .formula =
         [](const Record& r) {
           const double bits = r.fact(facts::kNllNats) / std::log(2.0) / r.fact(facts::kTextBytes);
           return of_windows(r, 0, of_facts(r, {facts::kNllNats, facts::kTextBytes}, bits));
         },
     .compared = true,
     .tolerance = kRounding},
    {.name = "perplexity_over_optimum",
     .unit = "1",
     .better = kLower,
     .nature = kExact,
     .cases = "perplexity",
     .meaning = "perplexity divided by the best possible one, known for the synthetic language",
     .formula =
         [](const Record& r) {
           return scaled(perplexity(r), 1 / std::exp(r.fact(facts::kOptimumNllNats) / r.fact(facts::kScoredTokens)));
         }},
    {.name = "scored_tokens_per_s",
     .unit = "tokens/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = "perplexity",
     .meaning = "tokens scored per second, window by window, without a speed probe beside them",
     .formula = scored_tokens_per_s},
};

}  // namespace

std::span<const Metric> quality_metrics() { return kMetrics; }

}  // namespace bench::harness
