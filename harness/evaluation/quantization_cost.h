#pragma once

#include "model/decoder.h"

#include <string>

namespace bench::harness {

/// "none", "int8" or "int4"; throws Error naming `where` for anything else.
model::Quantization quantization_named(const std::string& name, const std::string& where);

/// What quantized weights cost, over the tokens that follow those of a text: each predicted by both models.
struct QuantizationCost {
  double base_nll_nats = 0, nll_nats = 0;  // per token, of the weights as they were and of the quantized ones
  double kl_divergence_nats = 0;           // of the base's next-token distribution from the other's, mean
  double same_top_share = 0;               // of tokens for which both find the same one most probable
  std::int64_t tokens = 0;

  double perplexity_ratio() const;
  /// "perplexity 12.31 against 12.30 (+0.08 %), KL divergence 0.0004 nats, same top token 99.1 %, over 511 tokens"
  std::string text() const;
};

/// As many tokens are enough to see a difference, and few enough for their logits to fit.
inline constexpr std::int64_t kQualityTokens = 1024;
/// The first kQualityTokens of ids [T], int64.
torch::Tensor quality_tokens(const torch::Tensor& ids);

/// ids [T] int64 on the CPU, T >= 2, in windows of max_seq_length. Memory: T x V logits in fp32. The quantised model
/// reads a few tokens at a time behind its cache, as in decoding, so the products are those of decoding.
QuantizationCost measure_quantization_cost(model::LanguageModel& base, model::LanguageModel& quantized,
                                           const torch::Tensor& ids);

}  // namespace bench::harness
