#include "harness/cost/forward_work.h"

#include "harness/cost/memory_profile.h"
#include "model/kernels/weight_rows.h"

namespace bench::harness {
namespace {

/// The bytes of the quantized matrices, including their scales. The head has 8 bits in both formats. The norms are too
/// small to count.
double quantized_bytes(const model::ModelConfig& model, model::WeightFormat blocks) {
  const auto matrix = [](model::WeightFormat format, std::int64_t rows, std::int64_t columns) {
    return model::matrix_bytes({format, nullptr, nullptr, columns}, rows);
  };
  const std::int64_t hidden = model.hidden_size, inner = model.intermediate_size,
                     keys = model.num_kv_heads * model.head_dim();
  // The matrices of a block: queries and output, keys and values, gate and up, down.
  const std::int64_t block = 2 * matrix(blocks, hidden, hidden) + 2 * matrix(blocks, keys, hidden) +
                             2 * matrix(blocks, inner, hidden) + matrix(blocks, hidden, inner);
  return static_cast<double>(model.num_layers * block + matrix(model::WeightFormat::kInt8, model.vocab_size, hidden));
}

}  // namespace

ForwardWork forward_work(const model::ModelConfig& model, const ForwardShape& shape) {
  const auto element = static_cast<double>(shape.element_bytes);
  const double head = static_cast<double>(model.vocab_size * model.hidden_size);
  const double blocks =
      static_cast<double>(parameter_count_without_embedding(model)) - (model.tie_embeddings ? 0 : head);
  const double moved_tokens = shape.cached + 2 * shape.tokens;
  return {shape.batch * cached_forward_flops(model, shape.tokens, shape.cached), element * (blocks + head),
          shape.batch * moved_tokens * kv_cache_bytes(model, 1, 1, shape.element_bytes)};
}

ForwardWork decode_step_work(const model::ModelConfig& model, std::int64_t batch, std::int64_t prompt_tokens,
                             std::int64_t new_tokens, std::int64_t element_bytes, const std::string& quantize) {
  // The steps find prompt_tokens .. prompt_tokens + new_tokens - 2 tokens in the cache.
  const double cached = static_cast<double>(prompt_tokens) + static_cast<double>(new_tokens - 2) / 2;
  ForwardWork work = forward_work(model, {static_cast<double>(batch), 1, cached, element_bytes});
  if (quantize == "int8") work.weight_bytes = quantized_bytes(model, model::WeightFormat::kInt8);
  if (quantize == "int4") work.weight_bytes = quantized_bytes(model, model::WeightFormat::kInt4);
  return work;
}

}  // namespace bench::harness
