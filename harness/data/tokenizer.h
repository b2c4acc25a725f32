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

/// A tokenizer: a SentencePiece model.
class Tokenizer {
 public:
  /// Throws Error if the file doesn't exist or is not a SentencePiece model.
  explicit Tokenizer(const std::filesystem::path& model);
  ~Tokenizer();

  std::vector<std::int64_t> encode(std::string_view text) const;  // no bos, no eos
  std::string decode(const std::vector<std::int64_t>& ids) const;

  /// The id that a text begins with; nothing if texts begin with none. The model file doesn't say whether there is one;
  /// a file beside it does.
  std::optional<std::int64_t> begin_id() const { return begin_id_; }
  void set_begin_id(std::optional<std::int64_t> id) { begin_id_ = id; }
  /// The ids of a text from its beginning on: begin_id(), if there is one, and then the ids of encode().
  std::vector<std::int64_t> encode_from_beginning(std::string_view text) const;

  /// The number of bytes of the text that each id from encode() stands for, whatever the tokenizer makes of those
  /// bytes.
  std::vector<std::int64_t> bytes_of_ids(std::string_view text) const;

  std::int64_t vocab_size() const;
  std::optional<std::int64_t> id_of(const std::string& piece) const;
  std::int64_t bos_id() const;  // -1 when there is none
  std::int64_t eos_id() const;
  const std::filesystem::path& path() const { return path_; }
  /// The content of the model file when it was loaded.
  const std::string& content() const { return content_; }

  /// Throws Error unless every id of this tokenizer is a token of a model with that vocabulary, and the tokenizer has
  /// an eos.
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

/// Trains a BPE model with byte fallback (no text is out of vocabulary) on a text with one paragraph per line. It is
/// BPE, because Transformers and llama.cpp take a Llama's tokenizer.model for BPE: they would segment text wrongly with
/// a unigram model. Deterministic for one number of threads. Throws Error if the text can't support so large a
/// vocabulary.
void train_tokenizer(const TokenizerTraining& training);

}  // namespace bench::harness
