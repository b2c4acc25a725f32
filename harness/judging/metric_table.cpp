#include "harness/judging/metric.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace bench::harness {
namespace {

using Value = std::optional<Estimate>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Whole numbers are divided by 1e9, not multiplied by 1e-9, so that they come out as their own digits.
Value exactly(double value) { return Estimate::point(value, 1); }
/// A value made of facts: nothing where one is missing. One that is not a number is a value, which fails its gate.
Value of_facts(const Record& r, std::initializer_list<const char*> names, double value) {
  const bool all = std::all_of(names.begin(), names.end(), [&](const char* name) { return r.facts.contains(name); });
  return all ? exactly(value) : Value{};
}
Value fact(const Record& r, const char* name) { return of_facts(r, {name}, r.fact(name)); }
Value scaled(Value e, double factor) {
  if (e) *e = {e->value * factor, e->low * factor, e->high * factor, e->n};
  return std::isnan(factor) ? Value{} : e;
}
/// work / time, where the interval of the time becomes that of the rate.
Value rate(Value time, double work) { return time && !std::isnan(work) ? Value{quotient(work, *time)} : Value{}; }
Value mean_of(const Record& r, const char* series) {
  const auto samples = r.counted(series);
  return samples.empty() ? Value{} : Value{kept_positive(mean(samples))};
}
Value quantile_of(const Record& r, const char* series, double p) {
  const auto samples = r.counted(series);
  return samples.empty() ? Value{} : Value{quantile_estimate(samples, p)};
}
Value median_of(const Record& r, const char* series) { return quantile_of(r, series, 0.5); }
Value first_of(const Record& r, const char* series) {
  return r.samples(series).empty() ? Value{} : exactly(r.samples(series).front());
}

/// The speed probe beside the blocks that count: its median. Of so few that ranks give no interval it is Student's t,
/// as wide as that of their mean.
Value probe(const Record& r, double Block::* speed) {
  std::vector<double> values;
  for (const Block* block : r.counted_blocks())
    if (block->*speed > 0) values.push_back(block->*speed);
  if (values.empty()) return {};
  Estimate e = median(values);
  if (values.size() >= 2 && values.size() < kFewestForInterval) {
    const Estimate around = mean(values);
    e.low = e.value - (around.value - around.low);
    e.high = e.value + (around.high - around.value);
  }
  return kept_positive(e);
}
/// The fastest that the machine was seen to be.
double best_probe(const Record& r, double Block::* speed) {
  double best = r.fact("matmul_flops_per_s");
  for (const auto& block : r.blocks)
    if (block.*speed > 0 && !(best >= block.*speed)) best = block.*speed;
  return best;
}
Value ceiling_steps_per_s(const Record& r) {
  const double best =
      best_probe(r, &Block::matmul_flops_per_s) / (r.fact("flops_per_token") * r.fact("tokens_per_step"));
  return std::isnan(best) ? Value{} : exactly(best);
}
/// Seconds of one optimizer step: its micro-batches and one update, each at its mean over all that were timed.
Value step_time(const Record& r) {
  Value micro = scaled(mean_of(r, "micro_step_time_s"), r.fact("micro_steps_per_step"));
  const Value update = mean_of(r, "update_time_s");
  if (!micro || !update) return {};
  const double value = micro->value + update->value;
  if (std::isnan(micro->low) && std::isnan(update->low)) return Estimate::point(value, update->n);
  return Estimate{value, micro->least() + update->least(), micro->most() + update->most(), update->n};
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

/// A quantity of held-out text at least that large whatever the text. Of too few windows it is only an estimate, which
/// nothing bounds: another passage would give another one.
Value of_windows(const Record& r, double least, Value value) {
  if (value && !std::isnan(value->value) && !r.incomplete().empty()) *value = {value->value, least, kInfinity, 0};
  return value;
}

Value perplexity(const Record& r) {
  const double mean_nll = r.fact("nll_nats") / r.fact("scored_tokens");
  return of_windows(r, 1, of_facts(r, {"nll_nats", "scored_tokens"}, std::exp(mean_nll)));
}

Value peak_memory(const Record& r) {
  std::vector<double> peaks = r.samples("peak_memory_bytes");
  const double needed = r.fact("needed_memory_bytes");
  if (!std::isnan(needed)) peaks.push_back(needed);
  if (peaks.empty() || !r.peak_unread().empty()) return {};  // of several lengths' peaks one may be missing
  Value most = exactly(quantile(peaks, 1) / 1e9);            // NaN if one is
  // What would not fit says what it would need, and what the time left out may have needed anything: that is no
  // measurement, but it is enough to fail a gate.
  const bool cut_short = r.notes.contains("cut_short");
  if (cut_short || !std::isnan(needed) || r.notes.contains("did_not_fit")) most->n = 0;
  if (cut_short) most->low = most->value, most->high = std::numeric_limits<double>::infinity();
  return most;
}

Value memory_beyond_model(const Record& r) {
  const Value peak = peak_memory(r);
  const double model_gb = (r.fact("weight_bytes") + r.fact("kv_cache_bytes")) / 1e9;
  if (!peak || std::isnan(model_gb)) return {};
  return Estimate{peak->value - model_gb, peak->low - model_gb, peak->high - model_gb, peak->n};
}

Value memory_per_token(const Record& r) {
  const auto& lengths = r.samples("seq_length");
  const auto& peaks = r.samples("peak_memory_bytes");
  if (lengths.size() < 2 || lengths.size() != peaks.size()) return {};
  return of_facts(r, {"batch"}, (peaks.back() - peaks.front()) / (lengths.back() - lengths.front()) / r.fact("batch"));
}

/// Of all lengths the worst.
Value memory_prediction_error(const Record& r) {
  const auto& peaks = r.samples("peak_memory_bytes");
  auto predicted = r.samples("predicted_memory_bytes");
  if (predicted.empty() && r.facts.contains("predicted_memory_bytes"))
    predicted.assign(1, r.fact("predicted_memory_bytes"));
  if (peaks.empty() || peaks.size() != predicted.size()) return {};
  double worst = 0;
  for (std::size_t i = 0; i < peaks.size(); ++i) {
    const double error = std::abs(predicted[i] / peaks[i] - 1);
    if (!(error <= worst)) worst = error;  // what is no number, too
  }
  return exactly(100 * worst);
}

Value prefill_rate(const Record& r, double work) { return rate(median_of(r, "prefill_time_s"), work); }
Value decode_rate(const Record& r, double work) { return rate(mean_of(r, "decode_step_time_s"), work); }
Value operator_rate(const Record& r, double work) { return rate(median_of(r, "operator_time_s"), work); }

/// `work` for each unit of work (optimizer step, prompt, decode step, operator call) per second, whatever the case.
Value work_rate(const Record& r, double work) {
  if (const Value time = step_time(r)) return rate(time, work);
  for (auto* one : {prefill_rate, decode_rate, operator_rate})
    if (const Value found = one(r, work)) return found;
  return {};
}

Value cold_start(const Record& r) {
  for (const char* series :
       {"cold_micro_step_time_s", "cold_prefill_time_s", "cold_first_token_time_s", "cold_operator_time_s"})
    if (const Value found = first_of(r, series)) return scaled(found, 1e3);
  return {};
}

/// The speed relative to the roof. Without an interval of both the share has none: it would leave one's spread out.
Value share_of_ceiling(const Record& r) {
  const double flops = r.fact("work_flops"), bytes = r.fact("work_bytes");
  const auto roof = roof_of(r);
  const Value done = work_rate(r, roof && roof->memory ? bytes : flops);
  if (!done || !roof) return {};
  Value share = scaled(ratio(*done, roof->speed), 100);
  return roof->speed.n < 2 || !done->has_interval() ? Estimate::point(share->value, share->n) : share;
}

using enum Better;
using enum Nature;

constexpr double kPages = 0.02;      // resident memory differs by that from run to run
constexpr double kRounding = 0.005;  // of a loss after many steps, when a sum is done in another order

constexpr const char* kTimedCases = "train prefill decode operator";
constexpr const char* kAllCases = "train prefill decode perplexity memory operator";

constexpr Metric kMetrics[] = {
    {.name = "train_tokens_per_s",
     .unit = "tokens/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = "train",
     .meaning = "trained tokens per second, the optimizer's time included",
     .formula = tokens_per_s,
     .compared = true,
     .share = "share_of_ceiling"},
    {.name = "train_steps_per_s",
     .unit = "steps/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = "train",
     .meaning = "optimizer steps per second",
     .formula = steps_per_s,
     .ceiling = "train_ceiling_steps_per_s"},
    {.name = "train_micro_steps_per_s",
     .unit = "steps/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = "train",
     .meaning = "micro-batches (forward and backward) per second",
     .formula = [](const Record& r) { return rate(mean_of(r, "micro_step_time_s"), 1); }},
    {.name = "train_tflops",
     .unit = "TFLOP/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = "train",
     .meaning = "useful work per second: 6 x parameters x tokens and causal attention",
     .formula = [](const Record& r) { return scaled(tokens_per_s(r), r.fact("flops_per_token") * 1e-12); }},
    {.name = "train_ceiling_steps_per_s",
     .unit = "steps/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = "train",
     .meaning = "optimizer steps per second if all work ran at the fastest matrix products probed",
     .formula = ceiling_steps_per_s},
    {.name = "train_days",
     .unit = "days",
     .better = kLower,
     .nature = kTimed,
     .cases = "train",
     .meaning = "time of the config's max_steps at this speed",
     .formula = [](const Record& r) { return scaled(step_time(r), r.fact("max_steps") / 86400); }},
    {.name = "train_hours",
     .unit = "h",
     .better = kLower,
     .nature = kTimed,
     .cases = "train",
     .meaning = "time of the config's max_steps at this speed, in the plan's unit",
     .formula = [](const Record& r) { return scaled(step_time(r), r.fact("max_steps") / 3600); },
     .ceiling = "train_least_hours"},
    {.name = "train_least_hours",
     .unit = "h",
     .better = kLower,
     .nature = kTimed,
     .cases = "train",
     .meaning = "time of the config's max_steps if all work ran at the fastest matrix products probed",
     .formula =
         [](const Record& r) {
           const Value steps_per_s = ceiling_steps_per_s(r);
           return steps_per_s ? of_facts(r, {"max_steps"}, r.fact("max_steps") / 3600 / steps_per_s->value) : Value{};
         }},
    {.name = "train_tokens_in_22h",
     .unit = "1e6 tokens",
     .better = kHigher,
     .nature = kTimed,
     .cases = "train",
     .meaning = "what the plan's 22 hours buy at this speed",
     .formula = [](const Record& r) { return scaled(tokens_per_s(r), 22 * 3600 * 1e-6); }},
    {.name = "first_loss",
     .unit = "nats",
     .better = kLower,
     .nature = kExact,
     .cases = "train",
     .meaning = "training loss of the first step",
     .formula = [](const Record& r) { return first_of(r, "loss"); },
     .compared = true,
     .tolerance = kRounding},
    {.name = "final_loss",
     .unit = "nats",
     .better = kLower,
     .nature = kExact,
     .cases = "train",
     .meaning = "mean training loss of the last tenth of the steps",
     .formula = final_loss,
     .compared = true,
     .tolerance = kRounding,
     .after = "loss"},
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
           const double bits = r.fact("nll_nats") / std::log(2.0) / r.fact("text_bytes");
           return of_windows(r, 0, of_facts(r, {"nll_nats", "text_bytes"}, bits));
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
           return scaled(perplexity(r), 1 / std::exp(r.fact("optimum_nll_nats") / r.fact("scored_tokens")));
         }},
    {.name = "prefill_tokens_per_s",
     .unit = "tokens/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = "prefill",
     .meaning = "prompt tokens processed per second, all sequences together",
     .formula = [](const Record& r) { return prefill_rate(r, r.fact("prompt_tokens") * r.fact("batch")); },
     .compared = true,
     .share = "share_of_ceiling"},
    {.name = "decode_tokens_per_s",
     .unit = "tokens/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = "decode",
     .meaning = "new tokens per second with the KV cache, all sequences together",
     .formula = [](const Record& r) { return decode_rate(r, r.fact("batch")); },
     .compared = true,
     .share = "share_of_ceiling"},
    {.name = "token_latency_p50",
     .unit = "ms",
     .better = kLower,
     .nature = kTimed,
     .cases = "decode",
     .meaning = "time from one token to the next, median",
     .formula = [](const Record& r) { return scaled(median_of(r, "decode_step_time_s"), 1e3); }},
    {.name = "token_latency_p95",
     .unit = "ms",
     .better = kLower,
     .nature = kTimed,
     .cases = "decode",
     .meaning = "time from one token to the next, 95th percentile",
     .formula = [](const Record& r) { return scaled(quantile_of(r, "decode_step_time_s", 0.95), 1e3); }},
    {.name = "token_latency_p99",
     .unit = "ms",
     .better = kLower,
     .nature = kTimed,
     .cases = "decode",
     .meaning = "time from one token to the next, 99th percentile",
     .formula = [](const Record& r) { return scaled(quantile_of(r, "decode_step_time_s", 0.99), 1e3); }},
    {.name = "time_to_first_token",
     .unit = "ms",
     .better = kLower,
     .nature = kTimed,
     .cases = "decode",
     .meaning = "time of the prompt until its first new token, median",
     .formula = [](const Record& r) { return scaled(median_of(r, "first_token_time_s"), 1e3); }},
    {.name = "cold_start",
     .unit = "ms",
     .better = kLower,
     .nature = kTimed,
     .cases = kTimedCases,
     .meaning = "the first piece of work of a fresh process, which no rate counts",
     .formula = cold_start},
    {.name = "load_time",
     .unit = "s",
     .better = kLower,
     .nature = kTimed,
     .cases = "prefill decode perplexity memory",
     .meaning = "opening the checkpoint: its hashes checked, weights mapped, and quantised if asked for",
     .formula = [](const Record& r) { return fact(r, "load_time_s"); }},
    {.name = "quantized_perplexity_ratio",
     .unit = "1",
     .better = kLower,
     .nature = kExact,
     .cases = "prefill decode",
     .meaning = "perplexity of the quantised weights over that of the weights as they are stored",
     .formula =
         [](const Record& r) {
           return of_facts(r, {"quantization_nll_nats", "quantization_base_nll_nats"},
                           std::exp(r.fact("quantization_nll_nats") - r.fact("quantization_base_nll_nats")));
         }},
    {.name = "quantized_kl_divergence",
     .unit = "nats",
     .better = kLower,
     .nature = kExact,
     .cases = "prefill decode",
     .meaning = "KL divergence of the stored weights' next-token distribution from the quantised ones', mean",
     .formula = [](const Record& r) { return fact(r, "quantization_kl_nats"); }},
    {.name = "quantized_same_top_token",
     .unit = "%",
     .better = kHigher,
     .nature = kExact,
     .cases = "prefill decode",
     .meaning = "tokens for which stored and quantised weights find the same next token most probable",
     .formula = [](const Record& r) { return scaled(fact(r, "quantization_same_top_share"), 100); }},
    {.name = "cached_uncached_mismatches",
     .unit = "tokens",
     .better = kLower,
     .nature = kExact,
     .cases = "decode",
     .meaning = "greedy tokens that differ with and without the KV cache",
     .formula = [](const Record& r) { return fact(r, "cached_uncached_mismatches"); },
     .compared = true},
    {.name = "token_checksum",
     .unit = "1",
     .better = kUnchanged,
     .nature = kExact,
     .cases = "prefill decode",
     .meaning = "sum of the greedy tokens that were made: other tokens, other work",
     .formula = [](const Record& r) { return fact(r, "checksum"); },
     .compared = true},
    {.name = "operator_time",
     .unit = "us",
     .better = kLower,
     .nature = kTimed,
     .cases = "operator",
     .meaning = "time of one call, median of the repetitions",
     .formula = [](const Record& r) { return scaled(median_of(r, "operator_time_s"), 1e6); },
     .compared = true,
     .share = "share_of_ceiling"},
    {.name = "work_gflops",
     .unit = "GFLOP/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = kTimedCases,
     .meaning = "arithmetic that the work must cost, per second",
     .formula = [](const Record& r) { return work_rate(r, r.fact("work_flops") * 1e-9); }},
    {.name = "work_gb_per_s",
     .unit = "GB/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = kTimedCases,
     .meaning = "bytes that the work must read and write at least, per second",
     .formula = [](const Record& r) { return work_rate(r, r.fact("work_bytes") * 1e-9); }},
    {.name = "work_intensity",
     .unit = "FLOP/byte",
     .better = kHigher,
     .nature = kExact,
     .cases = kTimedCases,
     .meaning = "arithmetic per byte that the work must cost: its place on the roofline",
     .formula =
         [](const Record& r) {
           return of_facts(r, {"work_flops", "work_bytes"}, r.fact("work_flops") / r.fact("work_bytes"));
         }},
    {.name = "share_of_ceiling",
     .unit = "%",
     .better = kHigher,
     .nature = kTimed,
     .cases = kTimedCases,
     .meaning =
         "work_gflops relative to the roofline probed beside it: matrix products or memory reads, whichever binds",
     .formula = share_of_ceiling},
    {.name = "probe_matmul",
     .unit = "GFLOP/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = kTimedCases,
     .meaning = "matrix products of the speed probe beside the blocks, median",
     .formula = [](const Record& r) { return scaled(probe(r, &Block::matmul_flops_per_s), 1e-9); }},
    {.name = "probe_read",
     .unit = "GB/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = kTimedCases,
     .meaning = "memory reads of the speed probe beside the blocks, median",
     .formula = [](const Record& r) { return scaled(probe(r, &Block::read_bytes_per_s), 1e-9); }},
    {.name = "peak_memory",
     .unit = "GB",
     .better = kLower,
     .nature = kExact,
     .cases = kAllCases,
     .meaning = "most memory held at once, GB of 1e9 bytes: allocator peak on mps and cuda, resident on cpu",
     .formula = peak_memory,
     .compared = true,
     .tolerance = kPages,
     .of_peak = true},
    {.name = "memory_beyond_model",
     .unit = "GB",
     .better = kLower,
     .nature = kExact,
     .cases = "decode",
     .meaning = "peak_memory of decoding beyond the weights as they are held and the KV cache: the program, its "
                "libraries and work, and what loading held for longer",
     .formula = memory_beyond_model,
     .of_peak = true},
    {.name = "memory_per_token",
     .unit = "bytes",
     .better = kLower,
     .nature = kExact,
     .cases = "memory",
     .meaning = "growth of the peak from the shortest to the longest sequence, per token",
     .formula = memory_per_token,
     .of_peak = true},
    {.name = "memory_prediction_error",
     .unit = "%",
     .better = kLower,
     .nature = kExact,
     .cases = "train memory",
     .meaning = "how far the prediction made before the run is off the peak, at the worst sequence length",
     .formula = memory_prediction_error,
     .of_peak = true},
    {.name = "operator_calls",
     .unit = "calls",
     .better = kLower,
     .nature = kExact,
     .cases = kTimedCases,
     .meaning = "LibTorch operators that the first piece of work called",
     .formula = [](const Record& r) { return fact(r, "operator_calls"); },
     .compared = true},
    {.name = "matmul_gflop",
     .unit = "GFLOP",
     .better = kLower,
     .nature = kExact,
     .cases = kTimedCases,
     .meaning = "arithmetic of the matrix products and attention in the first piece of work, counted",
     .formula = [](const Record& r) { return of_facts(r, {"matmul_flops"}, r.fact("matmul_flops") / 1e9); },
     .compared = true},
    {.name = "allocated_memory",
     .unit = "GB",
     .better = kLower,
     .nature = kExact,
     .cases = kTimedCases,
     .meaning = "what the first piece of work allocated in sum, freed or not",
     .formula = [](const Record& r) { return of_facts(r, {"allocated_bytes"}, r.fact("allocated_bytes") / 1e9); },
     .compared = true,
     .tolerance = kRounding},
};

}  // namespace

std::optional<Roof> roof_of(const Record& r) {
  const Value products = probe(r, &Block::matmul_flops_per_s), reads = probe(r, &Block::read_bytes_per_s);
  const double intensity = r.fact("work_flops") / r.fact("work_bytes");
  if (!products || !reads || std::isnan(intensity)) return {};
  const bool memory = !(products->value < reads->value * intensity);
  return Roof{memory, memory ? *reads : *products};
}

std::span<const Metric> metrics() { return kMetrics; }

}  // namespace bench::harness
