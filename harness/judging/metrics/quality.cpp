#include "harness/judging/metrics/formulas.h"

#include <cmath>
#include <limits>

namespace bench::harness {
namespace {

using enum Better;
using enum Nature;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// A quantity of held-out text at least that large whatever the text. Of too few windows it is only an estimate, which
/// nothing bounds: another passage would give another one.
Value of_windows(const Record& r, double least, Value value) {
  if (value && !std::isnan(value->value) && !r.incomplete().empty()) *value = {value->value, least, kInfinity, 0};
  return value;
}

Value perplexity(const Record& r) {
  const double mean_nll = r.fact(facts::kNllNats) / r.fact(facts::kScoredTokens);
  return of_windows(r, 1, of_facts(r, {facts::kNllNats, facts::kScoredTokens}, std::exp(mean_nll)));
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
};

}  // namespace

std::span<const Metric> quality_metrics() { return kMetrics; }

}  // namespace bench::harness
