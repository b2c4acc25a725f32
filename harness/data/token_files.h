#pragma once

#include "harness/data/tokens.h"

#include <filesystem>
#include <string>

namespace bench::harness {

/// Token ids from a file: NumPy's .npy (known by its beginning; little-endian, one dimension, C order), or raw
/// little-endian ids. `dtype`: auto, uint16, int32 or int64, of raw ids; auto takes int32, and refuses what looks like
/// another one. Throws Error for an empty or cut file, for another dtype than the header's, and for ids that are not
/// tokens of a vocabulary of that size; model::InputError for a Git LFS pointer.
TokenStream token_file(const std::filesystem::path& file, std::int64_t vocab_size, const std::string& dtype = "auto");

/// Throws Error at `where` for another name than those.
void check_tokens_dtype(const std::string& dtype, const std::string& where);

}  // namespace bench::harness
