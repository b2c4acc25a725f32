#pragma once

#include "harness/core/one_of.h"
#include "model/decoder.h"

#include <string>

namespace bench::harness {

/// The name of a way to quantize weights.
using QuantizationName = OneOf<"none", "int8", "int4">;
/// The quantization of that name. Throws Error at `where` for an unknown name.
model::Quantization quantization_named(const std::string& name, const std::string& where);

/// What quantizing the weights costs in quality. It is measured on the tokens of a text, each predicted from those
/// before it by both models.
struct QuantizationCost {
  double base_nll_nats = 0, nll_nats = 0;  // per token: with the weights as they were; with the quantized ones
  double kl_divergence_nats = 0;           // mean KL(base || quantized) of the next-token distributions
  double same_top_share = 0;               // share of tokens for which both models find the same token most probable
  std::int64_t tokens = 0;

  double perplexity_ratio() const;
  /// "perplexity 12.31 against 12.30 (+0.08 %), KL divergence 0.0004 nats, same top token 99.1 %, over 511 tokens"
  std::string text() const;
};

/// The number of tokens to measure with. So many are enough to see a difference, and few enough for their logits to fit
/// into memory.
inline constexpr std::int64_t kQualityTokens = 1024;
/// The first kQualityTokens ids of ids [T], int64.
torch::Tensor quality_tokens(const torch::Tensor& ids);

/// Measures the cost on ids [T] int64 on the CPU, T >= 2, in windows of max_seq_length. Memory: T x V logits in fp32.
/// The quantized model reads a few tokens at a time behind its cache, as in decoding, so its products are those of
/// decoding.
QuantizationCost measure_quantization_cost(model::LanguageModel& base, model::LanguageModel& quantized,
                                           const torch::Tensor& ids);

}  // namespace bench::harness
