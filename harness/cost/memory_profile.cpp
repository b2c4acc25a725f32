#include "harness/cost/memory_profile.h"

#include "harness/core/error.h"
#include "harness/cost/model_sizes.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace bench::harness {
std::string MemoryEstimate::text() const {
  std::string parts;
  components([&](const char* name, double bytes) {
    if (bytes >= 0.5e6) parts += fmt::format("{}{} {:.2f}", parts.empty() ? "" : ", ", name, bytes / 1e9);
  });
  return fmt::format("{:.2f} GB ({})", total() / 1e9, parts);
}

double kv_cache_bytes(const model::ModelConfig& model, std::int64_t batch, std::int64_t capacity,
                      std::int64_t element_bytes) {
  const ModelSizes s(model);
  return 2 * s.layers * s.kv * static_cast<double>(batch) * static_cast<double>(capacity) *
         static_cast<double>(element_bytes);
}

MemoryEstimate estimate_decode_memory(const model::ModelConfig& model, const DecodeShape& shape) {
  const ModelSizes s(model);
  const auto element = static_cast<double>(shape.element_bytes), batch = static_cast<double>(shape.batch);
  MemoryEstimate estimate;
  estimate.moment = "in the prompt's pass";
  estimate.program = shape.program_bytes;
  estimate.weights = element * s.parameters;
  estimate.kv_cache = kv_cache_bytes(model, shape.batch, shape.capacity, shape.element_bytes);
  // In the feed-forward the block's input, that of the norm, the norm's result, its own and four inner tensors; in the
  // attention the rotation of the queries, which LibTorch's operators do in fp32. Our tiles need less than either.
  const double feed_forward = element * (4 * s.hidden + 4 * s.inner);
  const double rotation = element * 4 * s.hidden + kFp32Bytes * (element == kFp32Bytes ? 3 : 5) * s.hidden;
  estimate.activations = batch * static_cast<double>(shape.prompt_tokens) * std::max(feed_forward, rotation);
  estimate.logits = batch * s.vocabulary * element;  // of the last token only
  return estimate;
}

std::int64_t largest_within(double budget_bytes, std::int64_t limit, const std::function<double(std::int64_t)>& bytes) {
  std::int64_t fits = 0, fails = limit + 1;
  while (fails - fits > 1) {
    const std::int64_t middle = fits + (fails - fits) / 2;
    (bytes(middle) <= budget_bytes ? fits : fails) = middle;
  }
  return fits;
}

MemoryCalibration calibrate(const std::vector<MemoryPoint>& points) {
  MemoryCalibration result;
  if (points.empty()) return result;
  const auto n = static_cast<double>(points.size());
  double tokens = 0, missing = 0, squares = 0, products = 0, most = -INFINITY;
  result.lowest = INFINITY, result.highest = -INFINITY;
  for (const auto& p : points) {
    tokens += p.tokens / n;
    missing += (p.measured_bytes - p.predicted_bytes) / n;
    most = std::max(most, p.measured_bytes - p.predicted_bytes);
    result.lowest = std::min(result.lowest, p.predicted_bytes / p.measured_bytes - 1);
    result.highest = std::max(result.highest, p.predicted_bytes / p.measured_bytes - 1);
  }
  for (const auto& p : points) {
    squares += (p.tokens - tokens) * (p.tokens - tokens);
    products += (p.tokens - tokens) * (p.measured_bytes - p.predicted_bytes - missing);
  }
  const double slope = squares > 0 ? products / squares : 0;
  result.bytes_per_token = std::max(slope, 0.0);
  result.offset_bytes = slope > 0 ? missing - slope * tokens : most;
  return result;
}

double parse_bytes(const std::string& text, const std::string& where) {
  constexpr std::pair<const char*, double> kUnits[] = {{"B", 1},           {"kB", 1e3},          {"MB", 1e6},
                                                       {"GB", 1e9},        {"TB", 1e12},         {"KiB", 1024.0},
                                                       {"MiB", 1048576.0}, {"GiB", 1073741824.0}};
  std::size_t used = 0;
  double value = std::nan("");
  try {
    value = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;  // no number at all, or one beyond a double's range
  }
  const std::string unit = text.substr(std::min(text.find_first_not_of(' ', used), text.size()));
  for (const auto& [name, factor] : kUnits)
    if (used > 0 && unit == name && std::isfinite(value) && value > 0) return value * factor;
  throw Error(where, fmt::format("'{}' {}", text, used > 0 && unit.empty() ? "has no unit" : "is no amount of memory"),
              "such as 10GB (1e9 bytes each), 9.5GiB or 800MB");
}

}  // namespace bench::harness
