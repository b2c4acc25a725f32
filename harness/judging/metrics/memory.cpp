#include "harness/judging/metrics/formulas.h"

#include <cmath>
#include <limits>

namespace bench::harness {
namespace {

using enum Better;
using enum Nature;

constexpr const char* kAllCases = "train prefill decode perplexity memory operator command";

Value peak_memory(const Record& r) {
  std::vector<double> peaks = r.samples(series::kPeakMemoryBytes);
  const double needed = r.fact(facts::kNeededMemoryBytes);
  if (!std::isnan(needed)) peaks.push_back(needed);
  if (peaks.empty() || !r.peak_unread().empty()) return {};  // with several lengths, one of their peaks may be missing
  Value most = exactly(quantile(peaks, 1) / 1e9);            // NaN if one is
  // Work that would not fit says what it would need. Work that was left out because the time was up may have needed any
  // amount. Neither is a measurement, but it is enough to fail a gate.
  const bool cut_short = r.notes.contains("cut_short");
  if (cut_short || !std::isnan(needed) || r.notes.contains("did_not_fit")) most->n = 0;
  if (cut_short) most->low = most->value, most->high = std::numeric_limits<double>::infinity();
  return most;
}

Value memory_beyond_model(const Record& r) {
  const Value peak = peak_memory(r);
  const double model_gb = (r.fact(facts::kWeightBytes) + r.fact(facts::kKvCacheBytes)) / 1e9;
  if (!peak || std::isnan(model_gb)) return {};
  return Estimate{peak->value - model_gb, peak->low - model_gb, peak->high - model_gb, peak->n};
}

Value memory_per_token(const Record& r) {
  const auto& lengths = r.samples(series::kSeqLength);
  const auto& peaks = r.samples(series::kPeakMemoryBytes);
  if (lengths.size() < 2 || lengths.size() != peaks.size()) return {};
  return of_facts(r, {facts::kBatch},
                  (peaks.back() - peaks.front()) / (lengths.back() - lengths.front()) / r.fact(facts::kBatch));
}

/// The worst error over all lengths.
Value memory_prediction_error(const Record& r) {
  const auto& peaks = r.samples(series::kPeakMemoryBytes);
  auto predicted = r.samples(series::kPredictedMemoryBytes);
  if (predicted.empty() && r.facts.contains(facts::kPredictedMemoryBytes))
    predicted.assign(1, r.fact(facts::kPredictedMemoryBytes));
  if (peaks.empty() || peaks.size() != predicted.size()) return {};
  double worst = 0;
  for (std::size_t i = 0; i < peaks.size(); ++i) {
    const double error = std::abs(predicted[i] / peaks[i] - 1);
    if (!(error <= worst)) worst = error;  // also when the error is NaN
  }
  return exactly(100 * worst);
}

constexpr Metric kMetrics[] = {
    {.name = "peak_memory",
     .unit = "GB",
     .better = kLower,
     .nature = kExact,
     .cases = kAllCases,
     .meaning = "most memory held at once, GB of 1e9 bytes: allocator peak on mps and cuda, resident on cpu",
     .formula = peak_memory,
     .compared = true,
     .drawn_in = series::kPeakMemoryBytes,
     .sample_at = [](const Record&, double value) { return value * 1e9; },
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
     .formula = [](const Record& r) { return fact(r, facts::kOperatorCalls); },
     .compared = true},
    {.name = "matmul_gflop",
     .unit = "GFLOP",
     .better = kLower,
     .nature = kExact,
     .cases = kTimedCases,
     .meaning = "arithmetic of the matrix products and attention in the first piece of work, counted",
     .formula = [](const Record& r) { return of_facts(r, {facts::kMatmulFlops}, r.fact(facts::kMatmulFlops) / 1e9); },
     .compared = true},
    {.name = "allocated_memory",
     .unit = "GB",
     .better = kLower,
     .nature = kExact,
     .cases = kTimedCases,
     .meaning = "what the first piece of work allocated in sum, freed or not",
     .formula =
         [](const Record& r) { return of_facts(r, {facts::kAllocatedBytes}, r.fact(facts::kAllocatedBytes) / 1e9); },
     .compared = true,
     .tolerance = kRounding},
};

}  // namespace

std::span<const Metric> memory_metrics() { return kMetrics; }

}  // namespace bench::harness
