#include "harness/cases/forward_work.h"

#include "harness/memory_profile.h"

namespace bench::harness {

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
                             std::int64_t new_tokens, std::int64_t element_bytes) {
  // The steps find prompt_tokens .. prompt_tokens + new_tokens - 2 tokens in the cache.
  const double cached = static_cast<double>(prompt_tokens) + static_cast<double>(new_tokens - 2) / 2;
  return forward_work(model, {static_cast<double>(batch), 1, cached, element_bytes});
}

}  // namespace bench::harness
