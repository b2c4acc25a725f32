#include "harness/evaluation/quantization_cost.h"

#include "harness/core/error.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace bench::harness {
namespace {

constexpr std::int64_t kPiece = 8;  // tokens at once: few enough that the quantized weights are read as in decoding

/// log p [T, V] fp32 of each next token. On the CPU, since means are taken in fp64, which not every device has.
torch::Tensor log_probabilities(model::LanguageModel& model, const torch::Tensor& ids) {
  const torch::NoGradGuard no_grad;
  model->eval();
  std::vector<torch::Tensor> pieces;
  for (const auto& window : ids.to(model->device()).split(model->config().max_seq_length)) {
    model::KvCache cache = model->make_cache(1, window.size(0));
    for (const auto& piece : window.split(kPiece))
      pieces.push_back(
          torch::log_softmax(model->head(model->hidden(piece.unsqueeze(0), &cache))[0].cpu(), -1, torch::kFloat32));
  }
  return torch::cat(pieces);
}

double mean_nll(const torch::Tensor& log_p, const torch::Tensor& targets) {
  return -log_p.gather(1, targets.unsqueeze(1)).to(torch::kFloat64).mean().item<double>();
}

}  // namespace

model::Quantization quantization_named(const std::string& name, const std::string& where) {
  const auto known = QuantizationName::read(name, where, "quantization");
  if (known == "none") return model::Quantization::kNone;
  return known == "int8" ? model::Quantization::kInt8 : model::Quantization::kInt4;
}

double QuantizationCost::perplexity_ratio() const { return std::exp(nll_nats - base_nll_nats); }

std::string QuantizationCost::text() const {
  return fmt::format(
      "perplexity {:.4g} against {:.4g} ({:+.2f} %), KL divergence {:.2g} nats, same top token {:.1f} %, over {} "
      "tokens",
      std::exp(nll_nats), std::exp(base_nll_nats), 100 * (perplexity_ratio() - 1), kl_divergence_nats,
      100 * same_top_share, tokens);
}

torch::Tensor quality_tokens(const torch::Tensor& ids) { return ids.slice(0, 0, kQualityTokens).to(torch::kInt64); }

QuantizationCost measure_quantization_cost(model::LanguageModel& base, model::LanguageModel& quantized,
                                           const torch::Tensor& ids) {
  const torch::Tensor inputs = ids.slice(0, 0, -1), targets = ids.slice(0, 1);
  const torch::Tensor p = log_probabilities(base, inputs), q = log_probabilities(quantized, inputs);
  const torch::Tensor same = p.argmax(-1).eq(q.argmax(-1));
  return {mean_nll(p, targets), mean_nll(q, targets),
          p.exp().mul(p - q).sum(-1).to(torch::kFloat64).mean().item<double>(),
          same.to(torch::kFloat64).mean().item<double>(), inputs.size(0)};
}

}  // namespace bench::harness
