#include "harness/judging/metrics/formulas.h"

#include <cmath>
#include <numeric>

namespace bench::harness {
namespace {

using enum Better;
using enum Nature;

/// The highest speed that was seen on the machine.
double best_probe(const Record& r, double Block::* speed) {
  double best = r.fact(facts::kMatmulFlopsPerS);
  for (const auto& block : r.blocks)
    if (block.*speed > 0 && !(best >= block.*speed)) best = block.*speed;
  return best;
}

Value ceiling_steps_per_s(const Record& r) {
  const double best =
      best_probe(r, &Block::matmul_flops_per_s) / (r.fact(facts::kFlopsPerToken) * r.fact(facts::kTokensPerStep));
  return std::isnan(best) ? Value{} : exactly(best);
}

Value steps_per_s(const Record& r) { return rate(step_time(r), 1); }

Value tokens_per_s(const Record& r) { return rate(step_time(r), r.fact(facts::kTokensPerStep)); }

Value final_loss(const Record& r) {
  const auto& losses = r.samples(series::kLoss);
  if (losses.empty()) return {};
  const std::size_t last = std::max<std::size_t>(1, losses.size() / 10);  // one step's loss is noisy, a tenth less so
  return exactly(std::accumulate(losses.end() - static_cast<std::ptrdiff_t>(last), losses.end(), 0.0) /
                 static_cast<double>(last));
}

/// The seconds that one micro-batch may take when a whole optimizer step may take `step_s`.
double micro_step_s(const Record& r, double step_s) {
  return (step_s - mean(r.counted(series::kUpdateTimeS)).value) / r.fact(facts::kMicroStepsPerStep);
}

constexpr Metric kMetrics[] = {
    {.name = "train_tokens_per_s",
     .unit = "tokens/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = "train",
     .meaning = "trained tokens per second, the optimizer's time included",
     .formula = tokens_per_s,
     .compared = true,
     .is_speed = true,
     .share = "share_of_ceiling",
     .drawn_in = series::kMicroStepTimeS,
     .sample_at = [](const Record& r, double value) { return micro_step_s(r, r.fact(facts::kTokensPerStep) / value); }},
    {.name = "train_steps_per_s",
     .unit = "steps/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = "train",
     .meaning = "optimizer steps per second",
     .formula = steps_per_s,
     .ceiling = "train_ceiling_steps_per_s",
     .drawn_in = series::kMicroStepTimeS,
     .sample_at = [](const Record& r, double value) { return micro_step_s(r, 1 / value); }},
    {.name = "train_micro_steps_per_s",
     .unit = "steps/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = "train",
     .meaning = "micro-batches (forward and backward) per second",
     .formula = [](const Record& r) { return rate(mean_of(r, series::kMicroStepTimeS), 1); },
     .drawn_in = series::kMicroStepTimeS,
     .sample_at = [](const Record&, double value) { return 1 / value; }},
    {.name = "train_tflops",
     .unit = "TFLOP/s",
     .better = kHigher,
     .nature = kTimed,
     .cases = "train",
     .meaning = "useful work per second: 6 x parameters x tokens and causal attention",
     .formula = [](const Record& r) { return scaled(tokens_per_s(r), r.fact(facts::kFlopsPerToken) * 1e-12); }},
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
     .formula = [](const Record& r) { return scaled(step_time(r), r.fact(facts::kMaxSteps) / 86400); }},
    {.name = "train_hours",
     .unit = "h",
     .better = kLower,
     .nature = kTimed,
     .cases = "train",
     .meaning = "time of the config's max_steps at this speed, in the plan's unit",
     .formula = [](const Record& r) { return scaled(step_time(r), r.fact(facts::kMaxSteps) / 3600); },
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
           return steps_per_s ? of_facts(r, {facts::kMaxSteps}, r.fact(facts::kMaxSteps) / 3600 / steps_per_s->value)
                              : Value{};
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
     .formula = [](const Record& r) { return first_of(r, series::kLoss); },
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
     .drawn_in = series::kLoss,
     .sample_at = as_it_is,
     .tolerance = kRounding,
     .after = series::kLoss},
};

}  // namespace

std::span<const Metric> training_metrics() { return kMetrics; }

}  // namespace bench::harness
