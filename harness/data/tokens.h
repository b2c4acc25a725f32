#pragma once

#include "harness/data/tokenizer.h"
#include "model/tensor.h"

#include <filesystem>
#include <string>

namespace bench::harness {

/// A stream of token ids and where it comes from.
struct TokenStream {
  torch::Tensor ids;            // [N] int32, possibly the pages of a mapped file
  std::int64_t text_bytes = 0;  // of the text behind it, line ends included; 0 when there is no text
  std::string source;           // for people: path and hash, or what the synthetic language is
  double optimum_nll = 0;       // nats that the source itself needs for all tokens but the first; 0 when unknown

  std::int64_t size() const { return ids.size(0); }
};

/// The tokens of a text, one paragraph a line, each followed by the tokenizer's eos. They are kept beside the text
/// (`train.txt.<hash>.tokens`, named by the hashes of text and tokenizer), so that the second time costs nothing.
/// Throws Error for a missing, empty or non-UTF-8 text.
TokenStream text_tokens(const std::filesystem::path& text, const Tokenizer& tokenizer, std::int64_t threads);

/// Raw little-endian int32 ids. Throws Error for an empty file, a size that is no multiple of 4, or ids that are not
/// tokens of a vocabulary of that size.
TokenStream raw_tokens(const std::filesystem::path& file, std::int64_t vocab_size);

/// A text of the built-in synthetic language.
TokenStream synthetic_tokens(std::int64_t vocab_size, std::int64_t tokens, std::uint64_t text_seed);

/// Throws Error unless all ids are tokens of a vocabulary of that size.
void check_ids(const TokenStream& tokens, std::int64_t vocab_size);

}  // namespace bench::harness
