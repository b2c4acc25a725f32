#pragma once

#include "harness/data/tokenizer.h"
#include "model/tensor.h"

#include <filesystem>
#include <optional>
#include <string>

namespace bench::harness {

/// The text behind a stream of tokens.
struct TextBytes {
  torch::Tensor of_token;  // [N] int32: bytes that each token stands for; the eos counts its line's end (1)
  // The number of the text's paragraphs, and of those that the tokenizer changes: decode(encode(line)) != line.
  std::int64_t paragraphs = 0, changed_paragraphs = 0;

  /// "the tokenizer changes 3 of 120 paragraphs (2.5 %): decode(encode(line)) is another line"; empty when it changes
  /// none.
  std::string lossy() const;
};

/// A stream of token ids and where it comes from.
struct TokenStream {
  torch::Tensor ids;                          // [N] int32, possibly the pages of a mapped file
  std::string source;                         // for people: path and hash, or what the synthetic language is
  double optimum_nll = 0;                     // nats that the source needs for all tokens but the first; 0 when unknown
  std::optional<std::int64_t> begin_id = {};  // stands before each paragraph, given and not predicted
  std::optional<TextBytes> text = {};         // only from text_tokens_with_bytes()

  std::int64_t size() const { return ids.size(0); }
};

/// The tokens of a text with one paragraph per line. Each paragraph comes after the tokenizer's begin_id, if it has
/// one, and is followed by its eos. The tokens are kept beside the text (token_cache.h), so that the second time costs
/// nothing. Throws Error for a missing, empty or non-UTF-8 text.
TokenStream text_tokens(const std::filesystem::path& text, const Tokenizer& tokenizer, std::int64_t threads);

/// A text of the built-in synthetic language.
TokenStream synthetic_tokens(std::int64_t vocab_size, std::int64_t tokens, std::uint64_t text_seed);

/// Throws Error unless all ids are tokens of a vocabulary of that size.
void check_ids(const TokenStream& tokens, std::int64_t vocab_size);

}  // namespace bench::harness
