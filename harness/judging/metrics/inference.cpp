#include "harness/judging/metrics/formulas.h"

#include <cmath>

namespace bench::harness {
namespace {

using enum Better;
using enum Nature;

/// A cost of quantized weights. It lies between `least` and `most` for any text. With too few tokens it is only an
/// estimate, with no tighter bound than that range, because another passage would give another value.
Value of_compared_tokens(const Record& r, double least, double most, Value value) {
  return r.compared_too_few().empty() ? value : estimated_within(least, most, value);
}

Value quantized_perplexity_ratio(const Record& r) {
  const double ratio = std::exp(r.fact(facts::kQuantizationNllNats) - r.fact(facts::kQuantizationBaseNllNats));
  return of_compared_tokens(r, 0, kInfinity,
                            of_facts(r, {facts::kQuantizationNllNats, facts::kQuantizationBaseNllNats}, ratio));
}

Value cold_start(const Record& r) {
  for (const char* timed : {series::kMicroStepTimeS, series::kPrefillTimeS, series::kFirstTokenTimeS,
                            series::kOperatorTimeS, series::kWallTimeS})
    if (const Value found = first_of(r, series::cold(timed).c_str())) return scaled(found, 1e3);
  return {};
}

constexpr Metric kMetrics[] = {
    {.name = "prefill_tokens_per_s",
     .unit = "tokens/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = "prefill",
     .meaning = "prompt tokens processed per second, all sequences together",
     .formula = [](const Record& r) { return prefill_rate(r, r.fact(facts::kPromptTokens) * r.fact(facts::kBatch)); },
     .compared = true,
     .is_speed = true,
     .share = "share_of_ceiling",
     .drawn_in = series::kPrefillTimeS,
     .sample_at = [](const Record& r,
                     double value) { return r.fact(facts::kPromptTokens) * r.fact(facts::kBatch) / value; }},
    {.name = "decode_tokens_per_s",
     .unit = "tokens/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = "decode",
     .meaning = "new tokens per second with the KV cache, all sequences together",
     .formula = [](const Record& r) { return decode_rate(r, r.fact(facts::kBatch)); },
     .compared = true,
     .is_speed = true,
     .share = "share_of_ceiling",
     .drawn_in = series::kDecodeStepTimeS,
     .sample_at = [](const Record& r, double value) { return r.fact(facts::kBatch) / value; }},
    {.name = "token_latency_p50",
     .unit = "ms",
     .better = kLower,
     .nature = kTimed,
     .cases = "decode",
     .meaning = "time from one token to the next, median",
     .formula = [](const Record& r) { return scaled(median_of(r, series::kDecodeStepTimeS), 1e3); },
     .drawn_in = series::kDecodeStepTimeS,
     .sample_at = milliseconds},
    {.name = "token_latency_p95",
     .unit = "ms",
     .better = kLower,
     .nature = kTimed,
     .cases = "decode",
     .meaning = "time from one token to the next, 95th percentile",
     .formula = [](const Record& r) { return scaled(quantile_of(r, series::kDecodeStepTimeS, 0.95), 1e3); },
     .drawn_in = series::kDecodeStepTimeS,
     .sample_at = milliseconds},
    {.name = "token_latency_p99",
     .unit = "ms",
     .better = kLower,
     .nature = kTimed,
     .cases = "decode",
     .meaning = "time from one token to the next, 99th percentile",
     .formula = [](const Record& r) { return scaled(quantile_of(r, series::kDecodeStepTimeS, 0.99), 1e3); },
     .drawn_in = series::kDecodeStepTimeS,
     .sample_at = milliseconds},
    {.name = "time_to_first_token",
     .unit = "ms",
     .better = kLower,
     .nature = kTimed,
     .cases = "decode",
     .meaning = "time of the prompt until its first new token, median",
     .formula = [](const Record& r) { return scaled(median_of(r, series::kFirstTokenTimeS), 1e3); },
     .drawn_in = series::kFirstTokenTimeS,
     .sample_at = milliseconds},
    {.name = "cold_start",
     .unit = "ms",
     .better = kLower,
     .nature = kTimed,
     .cases = "train prefill decode operator command",
     .meaning = "the first piece of work of a fresh process, which no rate counts",
     .formula = cold_start},
    {.name = "load_time",
     .unit = "s",
     .better = kLower,
     .nature = kTimed,
     .cases = "prefill decode perplexity memory",
     .meaning = "opening the checkpoint: its hashes checked, weights mapped, and quantised if asked for",
     .formula = [](const Record& r) { return fact(r, facts::kLoadTimeS); }},
    {.name = "quantized_perplexity_ratio",
     .unit = "1",
     .better = kLower,
     .nature = kExact,
     .cases = "prefill decode",
     .meaning = "perplexity of the quantised weights over that of the weights as they are stored",
     .formula = quantized_perplexity_ratio},
    {.name = "quantized_kl_divergence",
     .unit = "nats",
     .better = kLower,
     .nature = kExact,
     .cases = "prefill decode",
     .meaning = "KL divergence of the stored weights' next-token distribution from the quantised ones', mean",
     .formula =
         [](const Record& r) { return of_compared_tokens(r, 0, kInfinity, fact(r, facts::kQuantizationKlNats)); }},
    {.name = "quantized_same_top_token",
     .unit = "%",
     .better = kHigher,
     .nature = kExact,
     .cases = "prefill decode",
     .meaning = "tokens for which stored and quantised weights find the same next token most probable",
     .formula =
         [](const Record& r) {
           return of_compared_tokens(r, 0, 100, scaled(fact(r, facts::kQuantizationSameTopShare), 100));
         }},
    {.name = "cached_uncached_mismatches",
     .unit = "tokens",
     .better = kLower,
     .nature = kExact,
     .cases = "decode",
     .meaning = "greedy tokens that differ with and without the KV cache",
     .formula = [](const Record& r) { return fact(r, facts::kCachedUncachedMismatches); },
     .compared = true},
    {.name = "token_checksum",
     .unit = "1",
     .better = kUnchanged,
     .nature = kExact,
     .cases = "prefill decode",
     .meaning = "sum of the greedy tokens that were made: other tokens, other work",
     .formula = [](const Record& r) { return fact(r, facts::kChecksum); },
     .compared = true},
};

}  // namespace

std::span<const Metric> inference_metrics() { return kMetrics; }

}  // namespace bench::harness
