#pragma once

#include "harness/data/tokenizer.h"
#include "harness/data/tokens.h"
#include "harness/training/training_config.h"
#include "model/config.h"

#include <memory>
#include <string>

namespace bench::harness {

inline constexpr const char* kSynthetic = "synthetic";  // as the path of a text, it stands for the built-in language

/// What a run trains and validates on.
struct TrainingData {
  std::unique_ptr<Tokenizer> tokenizer;  // null for the synthetic language
  TokenStream train, valid;
  std::string overlap;  // a warning: how much of the validation text is trained on; empty if none of it is
};

/// Loads what a run needs. Throws Error if a text is missing or bad, if both texts are the same one (whatever its
/// path), if the tokenizer is missing, or if the tokenizer doesn't fit the model's vocabulary.
TrainingData load_training_data(const DataConfig& config, const model::ModelConfig& model, std::int64_t threads);

/// The held-out stream of the synthetic language for a vocabulary of that size.
TokenStream synthetic_validation_tokens(std::int64_t vocab_size);

}  // namespace bench::harness
