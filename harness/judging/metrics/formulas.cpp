#include "harness/judging/metrics/formulas.h"

#include <algorithm>
#include <cmath>

namespace bench::harness {

Value exactly(double value) { return Estimate::point(value, 1); }

Value of_facts(const Record& r, std::initializer_list<const char*> names, double value) {
  const bool all = std::ranges::all_of(names, [&](const char* name) { return r.facts.contains(name); });
  return all ? exactly(value) : Value{};
}

Value fact(const Record& r, const char* name) { return of_facts(r, {name}, r.fact(name)); }

Value scaled(Value e, double factor) {
  if (e) *e = {e->value * factor, e->low * factor, e->high * factor, e->n};
  return std::isnan(factor) ? Value{} : e;
}

Value estimated_within(double least, double most, Value value) {
  if (value && !std::isnan(value->value)) *value = {value->value, least, most, 0};
  return value;
}

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

Value step_time(const Record& r) {
  Value micro = scaled(mean_of(r, series::kMicroStepTimeS), r.fact(facts::kMicroStepsPerStep));
  const Value update = mean_of(r, series::kUpdateTimeS);
  if (!micro || !update) return {};
  const double value = micro->value + update->value;
  if (std::isnan(micro->low) && std::isnan(update->low)) return Estimate::point(value, update->n);
  return Estimate{value, micro->least() + update->least(), micro->most() + update->most(), update->n};
}

Value prefill_rate(const Record& r, double work) { return rate(median_of(r, series::kPrefillTimeS), work); }

Value decode_rate(const Record& r, double work) { return rate(mean_of(r, series::kDecodeStepTimeS), work); }

Value operator_rate(const Record& r, double work) { return rate(median_of(r, series::kOperatorTimeS), work); }

Value work_rate(const Record& r, double work) {
  if (const Value time = step_time(r)) return rate(time, work);
  for (auto* one : {prefill_rate, decode_rate, operator_rate})
    if (const Value found = one(r, work)) return found;
  return {};
}

double milliseconds(const Record&, double value) { return value * 1e-3; }

double as_it_is(const Record&, double value) { return value; }

std::optional<Roof> roof_of(const Record& r) {
  const Value products = probe(r, &Block::matmul_flops_per_s), reads = probe(r, &Block::read_bytes_per_s);
  const double intensity = r.fact(facts::kWorkFlops) / r.fact(facts::kWorkBytes);
  if (!products || !reads || std::isnan(intensity)) return {};
  const bool memory = !(products->value < reads->value * intensity);
  return Roof{memory, memory ? *reads : *products};
}

}  // namespace bench::harness
