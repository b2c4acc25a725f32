#pragma once

#include "model/config.h"

namespace bench::harness {

inline constexpr double kFp32Bytes = 4;

/// A model's shape in doubles, for estimates.
struct ModelSizes {
  explicit ModelSizes(const model::ModelConfig& m)
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
  double block_parameters;  // of one block; includes a share of the final norm, which is negligible
};

}  // namespace bench::harness
