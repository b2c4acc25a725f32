#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
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

  /// The id that a text begins with; nothing: none. Whether there is one is not said in the model but beside it.
  std::optional<std::int64_t> begin_id() const { return begin_id_; }
  void set_begin_id(std::optional<std::int64_t> id) { begin_id_ = id; }
  /// The ids of a text from its beginning on: those of encode behind begin_id.
  std::vector<std::int64_t> encode_from_beginning(std::string_view text) const;

  /// The bytes of the text that each of encode's ids stands for, whatever the tokenizer makes of them.
  std::vector<std::int64_t> bytes_of_ids(std::string_view text) const;

  std::int64_t vocab_size() const;
  std::optional<std::int64_t> id_of(const std::string& piece) const;
  std::int64_t bos_id() const;  // -1 when there is none
  std::int64_t eos_id() const;
  const std::filesystem::path& path() const { return path_; }
  /// The model file as it was when it was loaded.
  const std::string& content() const { return content_; }

  /// Throws Error unless every id of this tokenizer is a token of a model with that vocabulary, and it has an eos.
  void check_fits(std::int64_t model_vocab_size) const;

 private:
  std::filesystem::path path_;
  std::string content_;
  std::optional<std::int64_t> begin_id_;
  std::unique_ptr<sentencepiece::SentencePieceProcessor> processor_;
};

struct TokenizerTraining {
  std::filesystem::path text, output;
  std::int64_t vocab_size = 32000;
  std::int64_t threads = 2;
  bool quiet = true;
};

/// Trains a BPE model with byte fallback (no text is out of vocabulary) on a text of one paragraph a line. BPE, because
/// that is what Transformers and llama.cpp take a Llama's tokenizer.model for: a unigram model would be segmented
/// wrongly. Deterministic for one number of threads. Throws Error if the text can't support so large a vocabulary.
void train_tokenizer(const TokenizerTraining& training);

}  // namespace bench::harness
