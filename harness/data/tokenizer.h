#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sentencepiece {
class SentencePieceProcessor;
}

namespace bench::harness {

/// A SentencePiece model.
class Tokenizer {
 public:
  /// Throws Error if there is no such file or it is no SentencePiece model.
  explicit Tokenizer(const std::filesystem::path& model);
  ~Tokenizer();

  std::vector<std::int64_t> encode(std::string_view text) const;  // no bos, no eos
  std::string decode(const std::vector<std::int64_t>& ids) const;

  std::int64_t vocab_size() const;
  std::int64_t bos_id() const;
  std::int64_t eos_id() const;
  const std::filesystem::path& path() const { return path_; }

  /// Throws Error unless every id of this tokenizer is a token of a model with that vocabulary.
  void check_fits(std::int64_t model_vocab_size) const;

 private:
  std::filesystem::path path_;
  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;
};

struct TokenizerTraining {
  std::filesystem::path text, output;
  std::int64_t vocab_size = 32000;
  std::int64_t threads = 2;
  bool quiet = true;
};

/// Trains a unigram model with byte fallback (no text is out of vocabulary) on a text of one paragraph a line.
/// Deterministic for one number of threads. Throws Error if the text can't support so large a vocabulary.
void train_tokenizer(const TokenizerTraining& training);

}  // namespace bench::harness
