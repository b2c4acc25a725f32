#include "harness/training/training_data.h"

#include "harness/data/overlap.h"
#include "harness/data/text.h"

namespace bench::harness {
namespace {

constexpr std::int64_t kSyntheticTrainTokens = 2'000'000, kSyntheticValidTokens = 32'768;
constexpr std::uint64_t kTrainSeed = 11, kValidSeed = 12;  // different texts of the same language

/// The overlap of the validation text with the training text.
std::string overlap_or_error(const DataConfig& config) {
  const TextOverlap overlap = text_overlap(config.train_path, config.valid_path);
  if (overlap.same)
    throw Error("data.valid_path", fmt::format("{} has the same text as {}", config.valid_path, config.train_path),
                "validate on a text that isn't trained on; scripts/corpus makes both");
  return overlap.warning(config.train_path, config.valid_path);
}

}  // namespace

TokenStream synthetic_validation_tokens(std::int64_t vocab_size) {
  return synthetic_tokens(vocab_size, kSyntheticValidTokens, kValidSeed);
}

TrainingData load_training_data(const DataConfig& config, const model::ModelConfig& model, std::int64_t threads) {
  TrainingData data;
  const bool synthetic = config.train_path == kSynthetic;
  if (synthetic != (config.valid_path == kSynthetic))
    throw Error("data", "train_path and valid_path must both be 'synthetic' or neither");
  if (synthetic) {
    data.train = synthetic_tokens(model.vocab_size, kSyntheticTrainTokens, kTrainSeed);
    data.valid = synthetic_validation_tokens(model.vocab_size);
    return data;
  }
  data.tokenizer = std::make_unique<Tokenizer>(config.tokenizer_model);
  data.tokenizer->check_fits(model.vocab_size);
  check_text(config.train_path);
  check_text(config.valid_path);
  data.overlap = overlap_or_error(config);
  data.train = text_tokens(config.train_path, *data.tokenizer, threads);
  data.valid = text_tokens(config.valid_path, *data.tokenizer, threads);
  return data;
}

}  // namespace bench::harness
