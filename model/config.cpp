#include "model/config.h"

namespace bench::model {
namespace {

// A single size of more than 32 bits is a slip. With smaller sizes no product of two overflows 64 bits. Reports hold
// counts as doubles, which skip whole numbers from 2^53 on; the largest models that exist have a thousandth of that.
constexpr std::int64_t kLargestSize = std::int64_t{1} << 31;
constexpr double kMostParameters = 9007199254740992.0;

/// Also computed in double: the formula must not overflow while it is used to find out whether it would.
template <class Number>
Number parameters_beside_embedding(const ModelConfig& config) {
  const auto hidden = static_cast<Number>(config.hidden_size), vocab = static_cast<Number>(config.vocab_size);
  const auto kv = static_cast<Number>(config.num_kv_heads) * static_cast<Number>(config.head_dim());
  const auto feed_forward = 3 * hidden * static_cast<Number>(config.intermediate_size);
  const auto attention = 2 * hidden * hidden + 2 * hidden * kv;
  const auto head = config.tie_embeddings ? Number{0} : vocab * hidden;
  return static_cast<Number>(config.num_layers) * (attention + feed_forward + 2 * hidden) + hidden + head;
}

}  // namespace

ModelConfig ModelConfig::large() {
  ModelConfig config;
  config.hidden_size = 1536;
  config.num_heads = 24;
  config.num_kv_heads = 6;
  config.intermediate_size = 6144;
  return config;
}

void ModelConfig::validate(const Require& require) const {
  const auto positive = [&](std::int64_t value, const char* key) {
    require(value > 0, key, std::to_string(value) + " is not positive", "");
    require(value < kLargestSize, key, std::to_string(value) + " is too large", "sizes are below 2^31");
  };
  positive(vocab_size, "vocab_size");
  positive(hidden_size, "hidden_size");
  positive(num_layers, "num_layers");
  positive(num_heads, "num_heads");
  positive(num_kv_heads, "num_kv_heads");
  positive(intermediate_size, "intermediate_size");
  positive(max_seq_length, "max_seq_length");
  require(hidden_size % num_heads == 0, "num_heads",
          "hidden_size " + std::to_string(hidden_size) + " is not divisible by num_heads " + std::to_string(num_heads),
          "each head gets hidden_size / num_heads dimensions");
  require(head_dim() % 2 == 0, "num_heads", "head_dim " + std::to_string(head_dim()) + " is odd",
          "rotary positions turn pairs of dimensions");
  require(
      num_heads % num_kv_heads == 0, "num_kv_heads",
      "num_heads " + std::to_string(num_heads) + " is not divisible by num_kv_heads " + std::to_string(num_kv_heads),
      "each key and value head serves the same number of query heads");
  const double parameters =
      parameters_beside_embedding<double>(*this) + static_cast<double>(vocab_size) * static_cast<double>(hidden_size);
  require(parameters < kMostParameters, "num_layers", "the model would have 2^53 parameters or more",
          "num_layers, hidden_size, intermediate_size and vocab_size together make them");
  require(rope_theta > 1, "rope_theta", "must be above 1", "the plan's value is 10000.0");
  require(dropout >= 0 && dropout < 1, "dropout", "must be in [0, 1)", "");
  require(attention_dropout >= 0 && attention_dropout < 1, "attention_dropout", "must be in [0, 1)", "");
  require(rms_norm_eps > 0, "rms_norm_eps", "must be positive", "");
  require(bos_token_id >= 0 && bos_token_id < vocab_size, "bos_token_id", "is outside the vocabulary", "");
  require(eos_token_id >= 0 && eos_token_id < vocab_size, "eos_token_id", "is outside the vocabulary", "");
}

std::int64_t parameter_count_without_embedding(const ModelConfig& config) {
  return parameters_beside_embedding<std::int64_t>(config);
}

std::int64_t parameter_count(const ModelConfig& config) {
  return parameter_count_without_embedding(config) + config.vocab_size * config.hidden_size;
}

double forward_flops_per_token(const ModelConfig& config, std::int64_t seq_length) {
  // A tied embedding is counted once: as the head it is a matrix product, and as a look-up it is free. An untied
  // embedding is only a look-up, so it is free.
  const std::int64_t multiplied =
      parameter_count(config) - (config.tie_embeddings ? 0 : config.vocab_size * config.hidden_size);
  const double scores_and_values = 2.0 * 2.0 * static_cast<double>(config.num_heads * config.head_dim());
  const double keys = static_cast<double>(seq_length + 1) / 2;
  return 2.0 * static_cast<double>(multiplied) + static_cast<double>(config.num_layers) * scores_and_values * keys;
}

double cached_forward_flops(const ModelConfig& config, double tokens, double cached) {
  const auto head = static_cast<double>(config.vocab_size * config.hidden_size);
  const double blocks =
      static_cast<double>(parameter_count_without_embedding(config)) - (config.tie_embeddings ? 0 : head);
  const double keys = cached + (tokens + 1) / 2;  // that a query sees, on average
  const double scores_and_values = 4.0 * static_cast<double>(config.num_layers * config.hidden_size) * keys;
  return tokens * (2 * blocks + scores_and_values) + 2 * head;
}

double training_flops_per_token(const ModelConfig& config, std::int64_t seq_length) {
  return 3.0 * forward_flops_per_token(config, seq_length);
}

}  // namespace bench::model
