#pragma once

#include "model/config.h"

#include <string>

namespace bench::harness {

/// New tokens of each of `batch` sequences behind those in the cache; the last one of each alone meets the head.
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

/// The mean of the steps that make `new_tokens` behind a prompt; the first of them comes from the prompt's own pass.
/// `quantize` as in a case's config: none, int8 or int4; the cache keeps its elements.
ForwardWork decode_step_work(const model::ModelConfig& model, std::int64_t batch, std::int64_t prompt_tokens,
                             std::int64_t new_tokens, std::int64_t element_bytes, const std::string& quantize = "none");

}  // namespace bench::harness
