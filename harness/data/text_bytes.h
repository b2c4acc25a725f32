#pragma once

#include "harness/data/tokens.h"

#include <filesystem>

namespace bench::harness {

/// text_tokens, with what bits per byte need: the bytes behind each token, and how much of the text the tokenizer
/// changes. Tokenizes the text anew, whatever is kept.
TokenStream text_tokens_with_bytes(const std::filesystem::path& text, const Tokenizer& tokenizer, std::int64_t threads);

}  // namespace bench::harness
