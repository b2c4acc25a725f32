#pragma once

#include "harness/data/tokens.h"

#include <filesystem>

namespace bench::harness {

/// Like text_tokens(), and also finds what bits per byte need: the number of bytes that each token stands for, and how
/// much of the text the tokenizer changes. Tokenizes the text anew, even if its tokens are kept on disk.
TokenStream text_tokens_with_bytes(const std::filesystem::path& text, const Tokenizer& tokenizer, std::int64_t threads);

}  // namespace bench::harness
