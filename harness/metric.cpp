#include "harness/metric.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace bench::harness {
namespace {

using Value = std::optional<Estimate>;

Value exactly(double value) { return std::isnan(value) ? Value{} : Value{{value, value, value, 1}}; }
Value fact(const Record& r, const char* name) { return exactly(r.fact(name)); }
Value scaled(Value e, double factor) {
  if (e) *e = {e->value * factor, e->low * factor, e->high * factor, e->n};
  return std::isnan(factor) ? Value{} : e;
}
/// work / time, where the interval of the time becomes that of the rate.
Value rate(Value time, double work) {
  if (!time || std::isnan(work)) return {};
  const double highest = time->low > 0 ? work / time->low : work / time->value;
  return Estimate{work / time->value, work / time->high, highest, time->n};
}
Value mean_of(const Record& r, const char* series) {
  return r.samples(series).empty() ? Value{} : Value{mean(r.samples(series))};
}
Value median_of(const Record& r, const char* series) {
  return r.samples(series).empty() ? Value{} : Value{median(r.samples(series))};
}
Value quantile_of(const Record& r, const char* series, double p) {
  return r.samples(series).empty() ? Value{} : Value{quantile_estimate(r.samples(series), p)};
}

/// The mean without the first sample, which is the cold one, unless it is the only one.
Value warm_mean_of(const Record& r, const char* series) {
  const auto& samples = r.samples(series);
  return samples.size() < 2 ? mean_of(r, series) : Value{mean({samples.begin() + 1, samples.end()})};
}

/// Seconds of one optimizer step: its micro-batches and one update, each at its mean over all that were timed.
Value step_time(const Record& r) {
  Value micro = scaled(warm_mean_of(r, "micro_step_time_s"), r.fact("micro_steps_per_step"));
  const Value update = warm_mean_of(r, "update_time_s");
  if (!micro || !update) return {};
  return Estimate{micro->value + update->value, micro->low + update->low, micro->high + update->high, update->n};
}
Value steps_per_s(const Record& r) { return rate(step_time(r), 1); }
Value tokens_per_s(const Record& r) { return rate(step_time(r), r.fact("tokens_per_step")); }

Value final_loss(const Record& r) {
  const auto& losses = r.samples("loss");
  if (losses.empty()) return {};
  const std::size_t last = std::max<std::size_t>(1, losses.size() / 10);  // one step's loss is noisy, a tenth less so
  return exactly(std::accumulate(losses.end() - static_cast<std::ptrdiff_t>(last), losses.end(), 0.0) /
                 static_cast<double>(last));
}

Value perplexity(const Record& r) { return exactly(std::exp(r.fact("nll_nats") / r.fact("scored_tokens"))); }

Value peak_memory(const Record& r) {
  const auto& peaks = r.samples("peak_memory_bytes");
  // A case that would not fit says what it would need; that is no measurement, but it is enough to fail a gate.
  if (peaks.empty()) {
    Value needed = scaled(fact(r, "needed_memory_bytes"), 1e-9);
    if (needed) needed->n = 0;
    return needed;
  }
  return exactly(*std::max_element(peaks.begin(), peaks.end()) * 1e-9);
}

Value memory_per_token(const Record& r) {
  const auto& lengths = r.samples("seq_length");
  const auto& peaks = r.samples("peak_memory_bytes");
  if (lengths.size() < 2 || lengths.size() != peaks.size()) return {};
  return exactly((peaks.back() - peaks.front()) / (lengths.back() - lengths.front()) / r.fact("batch"));
}

constexpr Metric kMetrics[] = {
    {"train_steps_per_s", "steps/s", Better::kHigher, "optimizer steps per second", steps_per_s,
     "train_ceiling_steps_per_s"},
    {"train_micro_steps_per_s", "steps/s", Better::kHigher, "micro-batches (forward and backward) per second",
     [](const Record& r) { return rate(warm_mean_of(r, "micro_step_time_s"), 1); }},
    {"train_cold_micro_step", "s", Better::kLower, "the first micro-batch, which no rate counts",
     [](const Record& r) {
       return r.samples("micro_step_time_s").empty() ? Value{} : exactly(r.samples("micro_step_time_s").front());
     },
     nullptr, false},
    {"train_tokens_per_s", "tokens/s", Better::kHigher, "trained tokens per second, the optimizer's time included",
     tokens_per_s},
    {"train_tflops", "TFLOP/s", Better::kHigher, "useful work per second: 6 x parameters x tokens and causal attention",
     [](const Record& r) { return scaled(tokens_per_s(r), r.fact("flops_per_token") * 1e-12); }},
    {"train_share_of_ceiling", "%", Better::kHigher,
     "train_tflops as a share of the matrix-product rate probed in the same process",
     [](const Record& r) {
       return scaled(tokens_per_s(r), 100 * r.fact("flops_per_token") / r.fact("matmul_flops_per_s"));
     },
     nullptr, false},
    {"train_ceiling_steps_per_s", "steps/s", Better::kHigher,
     "optimizer steps per second if all work ran at the probed matrix-product rate",
     [](const Record& r) {
       return exactly(r.fact("matmul_flops_per_s") / (r.fact("flops_per_token") * r.fact("tokens_per_step")));
     },
     nullptr, false},
    {"train_days", "days", Better::kLower, "time of the config's max_steps at this speed",
     [](const Record& r) { return scaled(step_time(r), r.fact("max_steps") / 86400); }, nullptr, false},
    {"train_tokens_in_22h", "1e6 tokens", Better::kHigher, "what the plan's 22 hours buy at this speed",
     [](const Record& r) { return scaled(tokens_per_s(r), 22 * 3600 * 1e-6); }, nullptr, false},
    {"first_loss", "nats", Better::kLower, "training loss of the first step",
     [](const Record& r) { return r.samples("loss").empty() ? Value{} : exactly(r.samples("loss").front()); }},
    {"final_loss", "nats", Better::kLower, "mean training loss of the last tenth of the steps", final_loss},
    {"perplexity", "1", Better::kLower, "exp of the mean negative log-likelihood per token on held-out text",
     perplexity},
    {"bits_per_byte", "bits/byte", Better::kLower,
     "negative log2-likelihood per byte of text, comparable across tokenizers",
     [](const Record& r) { return exactly(r.fact("nll_nats") / std::log(2.0) / r.fact("text_bytes")); }},
    {"perplexity_over_optimum", "1", Better::kLower,
     "perplexity divided by the best possible one, known for the synthetic language",
     [](const Record& r) {
       return scaled(perplexity(r), 1 / std::exp(r.fact("optimum_nll_nats") / r.fact("scored_tokens")));
     }},
    {"prefill_tokens_per_s", "tokens/s", Better::kHigher, "prompt tokens processed per second, all sequences together",
     [](const Record& r) { return rate(median_of(r, "prefill_time_s"), r.fact("prompt_tokens") * r.fact("batch")); }},
    {"decode_tokens_per_s", "tokens/s", Better::kHigher,
     "new tokens per second with the KV cache, all sequences together",
     [](const Record& r) { return rate(mean_of(r, "decode_step_time_s"), r.fact("batch")); }},
    {"token_latency_p50", "ms", Better::kLower, "time from one token to the next, median",
     [](const Record& r) { return scaled(median_of(r, "decode_step_time_s"), 1e3); }},
    {"token_latency_p95", "ms", Better::kLower, "time from one token to the next, 95th percentile",
     [](const Record& r) { return scaled(quantile_of(r, "decode_step_time_s", 0.95), 1e3); }},
    {"time_to_first_token", "ms", Better::kLower, "time of the prompt until its first new token, median",
     [](const Record& r) { return scaled(median_of(r, "first_token_time_s"), 1e3); }},
    {"cached_uncached_mismatches", "tokens", Better::kLower, "greedy tokens that differ with and without the KV cache",
     [](const Record& r) { return fact(r, "cached_uncached_mismatches"); }},
    {"operator_time", "us", Better::kLower, "time of one call, median of the repetitions",
     [](const Record& r) { return scaled(median_of(r, "operator_time_s"), 1e6); }},
    {"operator_gflops", "GFLOP/s", Better::kHigher, "arithmetic per second",
     [](const Record& r) { return rate(median_of(r, "operator_time_s"), r.fact("operator_flops") * 1e-9); }},
    {"operator_gb_per_s", "GB/s", Better::kHigher, "bytes that must be read and written, per second",
     [](const Record& r) { return rate(median_of(r, "operator_time_s"), r.fact("operator_bytes") * 1e-9); }},
    {"peak_memory", "GB", Better::kLower,
     "most memory held at once, GB of 1e9 bytes: allocator peak on mps and cuda, resident on cpu", peak_memory},
    {"memory_per_token", "bytes", Better::kLower,
     "growth of the peak from the shortest to the longest sequence, per token", memory_per_token},
};

}  // namespace

std::span<const Metric> metrics() { return kMetrics; }

const Metric* find_metric(const std::string& name) {
  const auto* found =
      std::find_if(std::begin(kMetrics), std::end(kMetrics), [&](const auto& m) { return name == m.name; });
  return found == std::end(kMetrics) ? nullptr : found;
}

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const auto& metric : kMetrics) names.push_back(metric.name);
  return names;
}

std::vector<MetricValue> evaluate_metrics(const Record& record) {
  std::vector<MetricValue> values;
  if (record.status != Record::Status::kOk) return values;
  for (const auto& metric : kMetrics)
    if (const auto estimate = metric.formula(record)) values.push_back({&metric, *estimate});
  return values;
}

}  // namespace bench::harness
