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
  const std::string left_out =
      program_missing.empty() ? "" : "; without the program, whose memory could not be read: " + program_missing;
  return fmt::format("{:.2f} GB ({}{})", total() / 1e9, parts, left_out);
}

void add_pools(std::int64_t heap_bytes, MemoryEstimate& estimate) {
  if (heap_bytes <= 0) return;
  const auto heap = static_cast<double>(heap_bytes);
  const double in_heaps = estimate.live() - estimate.program;
  estimate.least_pools = std::ceil(in_heaps / heap) * heap - in_heaps;
  estimate.pools = estimate.least_pools + heap;
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
  estimate.program_missing = shape.program_missing;
  estimate.weights = element * s.parameters;
  estimate.kv_cache = kv_cache_bytes(model, shape.batch, shape.capacity, shape.element_bytes);
  // The feed-forward holds the block's input, the norm's input, the norm's result, its own result and four inner
  // tensors. Attention holds the rotation of the queries, which LibTorch's operators do in fp32. Our tiles need less
  // than either.
  const double feed_forward = element * (4 * s.hidden + 4 * s.inner);
  const double rotation = element * 4 * s.hidden + kFp32Bytes * (element == kFp32Bytes ? 3 : 5) * s.hidden;
  estimate.activations = batch * static_cast<double>(shape.prompt_tokens) * std::max(feed_forward, rotation);
  estimate.logits = batch * s.vocabulary * element;  // only of the last token
  return estimate;
}

}  // namespace bench::harness
