#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace bench::model {

/// Shape of a decoder-only language model (pre-norm, RMSNorm, rotary positions, grouped-query attention, SwiGLU, no
/// biases). The default values are the plan's medium model.
struct ModelConfig {
  std::int64_t vocab_size = 32000;
  std::int64_t hidden_size = 1024;
  std::int64_t num_layers = 24;
  std::int64_t num_heads = 16;
  std::int64_t num_kv_heads = 4;
  std::int64_t intermediate_size = 4096;
  std::int64_t max_seq_length = 2048;
  double rope_theta = 10000.0;
  double dropout = 0.1;
  double attention_dropout = 0.0;
  bool tie_embeddings = true;
  double rms_norm_eps = 1e-5;
  std::int64_t bos_token_id = 1;
  std::int64_t eos_token_id = 2;

  template <class Self, class Visitor>
  static void fields(Self& self, Visitor&& visit) {
    visit("vocab_size", self.vocab_size, "tokens in the vocabulary");
    visit("hidden_size", self.hidden_size, "width of the residual stream");
    visit("num_layers", self.num_layers, "decoder blocks");
    visit("num_heads", self.num_heads, "query heads");
    visit("num_kv_heads", self.num_kv_heads, "key and value heads; each serves num_heads / num_kv_heads query heads");
    visit("intermediate_size", self.intermediate_size, "width inside the SwiGLU feed-forward");
    visit("max_seq_length", self.max_seq_length, "longest sequence, prompt and new tokens together");
    visit("rope_theta", self.rope_theta, "base of the rotary frequencies");
    visit("dropout", self.dropout, "on the embedding output and on each residual branch, in training");
    visit("attention_dropout", self.attention_dropout, "on the attention probabilities, in training");
    visit("tie_embeddings", self.tie_embeddings, "the output head is the embedding matrix");
    visit("rms_norm_eps", self.rms_norm_eps, "added to the mean square in RMSNorm");
    visit("bos_token_id", self.bos_token_id, "first token of a document");
    visit("eos_token_id", self.eos_token_id, "last token of a document; generation stops there");
  }

  static ModelConfig medium() { return {}; }
  static ModelConfig large();

  std::int64_t head_dim() const { return hidden_size / num_heads; }

  /// Calls `require` for each condition: (holds, key at fault, what is wrong, hint).
  using Require = std::function<void(bool, const std::string&, const std::string&, const std::string&)>;
  void validate(const Require& require) const;
};

/// The number of parameters of the whole model. A tied head is counted once.
std::int64_t parameter_count(const ModelConfig& config);
/// The number of parameters without the embedding (and without the head when it is tied). The plan's "350M" and "800M"
/// count parameters in this way.
std::int64_t parameter_count_without_embedding(const ModelConfig& config);

/// Floating-point operations of training on one token: 6 per parameter (2 forward, 4 backward), plus those of causal
/// attention, whose queries see (seq_length + 1) / 2 keys on average. Recomputation is not counted, since it is no
/// useful work.
double training_flops_per_token(const ModelConfig& config, std::int64_t seq_length);
/// Floating-point operations per token of the forward pass alone, for a prompt of seq_length tokens.
double forward_flops_per_token(const ModelConfig& config, std::int64_t seq_length);
/// Floating-point operations of one forward pass over one sequence's `tokens` new tokens behind `cached` ones. Only the
/// last token goes through the head.
double cached_forward_flops(const ModelConfig& config, double tokens, double cached);

}  // namespace bench::model
