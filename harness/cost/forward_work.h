#pragma once

#include "model/config.h"

#include <string>

namespace bench::harness {

/// The shape of a forward pass: each of `batch` sequences gets `tokens` new tokens behind its `cached` ones. Only the
/// last token of each sequence goes through the head.
struct ForwardShape {
  double batch = 1, tokens = 1, cached = 0;
  std::int64_t element_bytes = 4;  // of weights and cache
};

/// What a forward pass with a KV cache must cost.
struct ForwardWork {
  double flops = 0;
  double weight_bytes = 0;  // each weight read once, whatever the batch
  double kv_bytes = 0;      // keys and values: those of new tokens written, then read with all others
  double bytes() const { return weight_bytes + kv_bytes; }
};
ForwardWork forward_work(const model::ModelConfig& model, const ForwardShape& shape);

/// The mean work of the decode steps that make `new_tokens` tokens behind a prompt. The first new token comes from the
/// prompt's own pass, so it has no step. `quantize` is as in a case's config: none, int8 or int4. The cache keeps
/// elements of `element_bytes`.
ForwardWork decode_step_work(const model::ModelConfig& model, std::int64_t batch, std::int64_t prompt_tokens,
                             std::int64_t new_tokens, std::int64_t element_bytes, const std::string& quantize = "none");

}  // namespace bench::harness
