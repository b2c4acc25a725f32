#include "harness/memory_profile.h"

#include "harness/core/error.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace bench::harness {
namespace {

constexpr double kFp32 = 4;

/// A model's shape in doubles.
struct Sizes {
  explicit Sizes(const model::ModelConfig& m)
      : hidden(static_cast<double>(m.hidden_size)),
        inner(static_cast<double>(m.intermediate_size)),
        kv(static_cast<double>(m.num_kv_heads * m.head_dim())),
        heads(static_cast<double>(m.num_heads)),
        layers(static_cast<double>(m.num_layers)),
        vocabulary(static_cast<double>(m.vocab_size)),
        parameters(static_cast<double>(parameter_count(m))),
        matrix(vocabulary * hidden),
        block_parameters((static_cast<double>(parameter_count_without_embedding(m)) - (m.tie_embeddings ? 0 : matrix)) /
                         layers) {}
  double hidden, inner, kv, heads, layers, vocabulary, parameters;
  double matrix;            // elements of the embedding, or of the head
  double block_parameters;  // of one block; the final norm is in it, a rounding error
};

/// What the backward pass of a norm needs for one token: input and scaled input in fp32, and its result for the linear
/// maps behind it.
double norm_bytes(const Sizes& s, double element) { return s.hidden * (2 * kFp32 + element); }

/// What autograd keeps of one block for one token.
double block_bytes(const model::ModelConfig& model, const TrainingShape& shape) {
  const Sizes s(model);
  const auto element = static_cast<double>(shape.element_bytes), keys = static_cast<double>(shape.seq_length);
  double attention = element * (3 * s.hidden + 2 * s.kv) + kFp32 * s.heads;  // q, k, v, result twice, sums of rows
  if (!shape.fused)  // q, repeated k and v, result; probabilities in fp32 and as the product takes them
    attention = element * 4 * s.hidden + s.heads * keys * (kFp32 + (element == kFp32 ? 0 : element)) + keys;
  else if (!shape.fused_attention_gradient)
    attention = element * 4 * s.hidden + s.heads * keys * element;
  const double feed_forward = 4 * element * s.inner;  // gate, its silu, up, their product
  const double masks = model.dropout > 0 ? 2 * element * s.hidden : 0;
  return 2 * norm_bytes(s, element) + attention + feed_forward + masks;
}

/// What the backward pass of one block makes for one token before it frees what the forward pass kept.
double backward_bytes(const model::ModelConfig& model, const TrainingShape& shape) {
  const Sizes s(model);
  const auto element = static_cast<double>(shape.element_bytes), keys = static_cast<double>(shape.seq_length);
  const bool probabilities = !shape.fused || !shape.fused_attention_gradient;
  const double feed_forward = element * (2 * s.inner + 2 * s.hidden);
  return std::max(feed_forward, probabilities ? 2 * s.heads * keys * kFp32 : 0.0);
}

MemoryEstimate larger(const MemoryEstimate& a, const MemoryEstimate& b) { return a.total() >= b.total() ? a : b; }

}  // namespace

std::string MemoryEstimate::text() const {
  std::string parts;
  components([&](const char* name, double bytes) {
    if (bytes >= 0.5e6) parts += fmt::format("{}{} {:.2f}", parts.empty() ? "" : ", ", name, bytes / 1e9);
  });
  return fmt::format("{:.2f} GB ({})", total() / 1e9, parts);
}

MemoryEstimate estimate_training_memory(const model::ModelConfig& model, const TrainingShape& shape) {
  const Sizes s(model);
  const auto element = static_cast<double>(shape.element_bytes);
  const double tokens = static_cast<double>(shape.batch) * static_cast<double>(shape.seq_length);
  const bool cast = element < kFp32;  // each product casts its weights, and keeps them for the backward pass
  const double block = block_bytes(model, shape), inputs = element * s.hidden;
  const double masks = model.dropout > 0 ? inputs : 0;  // of the embedding's output
  const double kept = masks + s.layers * (shape.gradient_checkpointing ? inputs : block);
  const double cast_blocks = cast ? element * s.block_parameters * (shape.gradient_checkpointing ? 1 : s.layers) : 0;
  const double cast_head = cast ? element * s.matrix : 0;
  const double head_gradient = model.tie_embeddings ? kFp32 * s.matrix : 0;  // waits for the embedding's

  MemoryEstimate base;
  base.program = shape.program_bytes;
  base.weights = base.gradients = kFp32 * s.parameters;
  base.optimizer = 2 * kFp32 * s.parameters;

  // The loss: log-probabilities, their gradient and that of the logits, all in fp32.
  MemoryEstimate loss = base;
  loss.moment = "at the loss";
  loss.activations = tokens * (kept + norm_bytes(s, element));
  loss.logits = tokens * s.vocabulary * 3 * kFp32;
  loss.temporaries = cast_head + (shape.gradient_checkpointing ? 0 : cast_blocks);

  // The head's gradient: the logits' own in the compute dtype, the matrix's in both.
  MemoryEstimate head = loss;
  head.moment = "at the head";
  head.logits = tokens * s.vocabulary * element;
  head.temporaries += kFp32 * s.matrix + cast_head;

  MemoryEstimate blocks = base;
  blocks.moment = "in the backward pass of a block";
  blocks.activations = tokens * (kept + (shape.gradient_checkpointing ? block : 0) + backward_bytes(model, shape));
  blocks.temporaries = head_gradient + cast_blocks + s.hidden * s.inner * (kFp32 + (cast ? element : 0));

  MemoryEstimate embedding = base;
  embedding.moment = "at the embedding's gradient";
  embedding.activations = tokens * (masks + kFp32 * s.hidden);
  embedding.temporaries = kFp32 * s.matrix + 2 * head_gradient;

  return larger(larger(loss, head), larger(blocks, embedding));
}

double kv_cache_bytes(const model::ModelConfig& model, std::int64_t batch, std::int64_t capacity,
                      std::int64_t element_bytes) {
  const Sizes s(model);
  return 2 * s.layers * s.kv * static_cast<double>(batch) * static_cast<double>(capacity) *
         static_cast<double>(element_bytes);
}

MemoryEstimate estimate_decode_memory(const model::ModelConfig& model, const DecodeShape& shape) {
  const Sizes s(model);
  const auto element = static_cast<double>(shape.element_bytes), batch = static_cast<double>(shape.batch);
  MemoryEstimate estimate;
  estimate.moment = "in the prompt's pass";
  estimate.program = shape.program_bytes;
  estimate.weights = element * s.parameters;
  estimate.kv_cache = kv_cache_bytes(model, shape.batch, shape.capacity, shape.element_bytes);
  // In the feed-forward the block's input, that of the norm, the norm's result, its own and four inner tensors; in the
  // attention the rotation of the queries, which is done in fp32.
  const double feed_forward = element * (4 * s.hidden + 4 * s.inner);
  const double rotation = element * 4 * s.hidden + kFp32 * (element == kFp32 ? 3 : 5) * s.hidden;
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
  constexpr std::pair<const char*, double> kUnits[] = {{"", 1},         {"B", 1},           {"kB", 1e3},
                                                       {"MB", 1e6},     {"GB", 1e9},        {"TB", 1e12},
                                                       {"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}};
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
  throw Error(where, fmt::format("'{}' is no amount of memory", text),
              "such as 10GB (1e9 bytes each), 9.5GiB or 800MB");
}

}  // namespace bench::harness
