#include "harness/planning/memory_findings.h"

#include "harness/cost/case_plan.h"
#include "harness/training/memory_estimate.h"

#include <algorithm>
#include <cmath>

namespace bench::harness {
namespace {

// The components that a process's stages can tell apart.
constexpr MemoryComponent kComponents[] = {{"program", "·"},   {"weights", "█"},  {"optimizer", "▓"},
                                           {"gradients", "▒"}, {"kv_cache", "▒"}, {"step", "░"}};

std::int64_t whole(double bytes) { return std::llround(bytes); }

}  // namespace

void add_peaks(const Record& record, std::vector<MeasuredPeak>& all) {
  const auto& lengths = record.samples(series::kSeqLength);
  const auto& predicted = record.samples(series::kPredictedMemoryBytes);
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const auto at = [&](const std::string& series) {
      const auto& samples = record.samples(series);
      return i < samples.size() ? samples[i] : 0;
    };
    MeasuredPeak peak{static_cast<std::int64_t>(record.fact(facts::kBatch)),
                      static_cast<std::int64_t>(lengths[i]),
                      at(series::kPeakMemoryBytes),
                      i < predicted.size() ? predicted[i] : std::nan(""),
                      at("predicted_program_bytes"),
                      {}};
    for (const MemoryComponent& component : kComponents)
      if (const double bytes = at(fmt::format("{}_bytes", component.name)); bytes != 0)
        peak.parts.emplace_back(component, bytes);
    all.push_back(std::move(peak));
  }
}

MemoryPredictor::MemoryPredictor(const MemoryQuestion& question, const Device& device, const std::string& dtype,
                                 const std::vector<MeasuredPeak>& measured)
    : question_(question), device_(device), element_bytes_(element_bytes(dtype)) {
  std::vector<MemoryPoint> points;
  if (!measured.empty()) program_bytes_ = measured[0].predicted_program_bytes;
  // There is no prediction if what the program held could not be read. Then the calibration's offset includes it.
  for (const auto& m : measured)
    points.push_back({static_cast<double>(m.batch * m.seq_length), m.bytes,
                      std::isnan(m.predicted_bytes) ? estimate(m.batch, m.seq_length).total() : m.predicted_bytes});
  calibration_ = fit_calibration(points);
}

double MemoryPredictor::operator()(std::int64_t batch, std::int64_t length) const {
  return calibration_.apply(estimate(batch, length).total(), static_cast<double>(batch * length));
}

MemoryEstimate MemoryPredictor::estimate(std::int64_t batch, std::int64_t length) const {
  const model::ModelConfig& model = question_.model.value;
  if (!question_.train)
    return estimate_decode_memory(
        model, {batch, std::max<std::int64_t>(length - 1, 1), length, element_bytes_, program_bytes_});
  TrainingShape shape = training_shape(
      {.micro_batch_size = batch, .gradient_checkpointing = question_.checkpointing, .fused = question_.fused}, length,
      &device_);
  shape.element_bytes = element_bytes_;
  shape.program_bytes = program_bytes_;  // of the measured processes, not of this one
  shape.program_missing.clear();
  return estimate_training_memory(model, shape);
}

std::vector<MemoryFit> find_fits(const MemoryQuestion& question, const MemoryPredictor& predict,
                                 const std::vector<MeasuredPeak>& all) {
  constexpr std::int64_t kMostSequences = 1 << 16;
  std::vector<MemoryFit> fits;
  const auto add = [&](bool of_length, std::int64_t held, std::int64_t limit) {
    const auto bytes = [&](std::int64_t n) { return of_length ? predict(held, n) : predict(n, held); };
    MemoryFit fit{of_length, held, largest_within(question.budget_bytes, limit, bytes), 0, false};
    // A measurement counts more than any prediction.
    for (const auto& m : all)
      if (const std::int64_t n = of_length ? m.seq_length : m.batch;
          (of_length ? m.batch : m.seq_length) == held && m.bytes > question.budget_bytes)
        fit.largest = std::min(fit.largest, n - 1);
    fit.bytes = bytes(std::max<std::int64_t>(fit.largest, 1));
    for (const auto& m : all)
      if (const std::int64_t n = of_length ? m.seq_length : m.batch;
          (of_length ? m.batch : m.seq_length) == held && m.bytes <= question.budget_bytes && n >= fit.largest)
        fit = {of_length, held, n, m.bytes, true};
    fits.push_back(fit);
  };
  for (const std::int64_t batch : question.batches) add(true, batch, question.model.value.max_seq_length);
  for (const std::int64_t length : question.lengths) add(false, length, kMostSequences);
  return fits;
}

Json to_json(const MemoryFindings& found) {
  Json json = {{"schema", "bench-memory/1"}, {"model", found.model},   {"mode", found.mode},
               {"dtype", found.dtype},       {"device", found.device}, {"machine", found.machine}};
  if (found.mode == "train") json.update({{"gradient_checkpointing", found.checkpointing}, {"fused", found.fused}});
  for (const auto& peak : found.peaks) {
    Json parts = Json::object();
    for (const auto& [component, bytes] : peak.parts) parts[fmt::format("{}_bytes", component.name)] = whole(bytes);
    json["points"].push_back({{"batch", peak.batch},
                              {"seq_length", peak.seq_length},
                              {"peak_memory_bytes", whole(peak.bytes)},
                              {"predicted_memory_bytes",
                               std::isnan(peak.predicted_bytes) ? Json(nullptr) : Json(whole(peak.predicted_bytes))},
                              {"parts", parts}});
  }
  json["calibration"] = {{"offset_bytes", whole(found.calibration.offset_bytes)},
                         {"bytes_per_token", found.calibration.bytes_per_token}};
  if (found.budget_bytes > 0) json["budget_bytes"] = whole(found.budget_bytes);
  for (const auto& fit : found.fits)
    json["largest"].push_back({{fit.of_length ? "batch" : "seq_length", fit.held},
                               {fit.of_length ? "largest_seq_length" : "largest_batch", fit.largest},
                               {"bytes", whole(fit.bytes)},
                               {"measured", fit.measured}});
  return json;
}

}  // namespace bench::harness
