#pragma once

#include "harness/core/one_of.h"
#include "harness/data/tokens.h"

#include <filesystem>

namespace bench::harness {

/// The dtype of raw ids. `auto` means int32, and refuses a file that looks like another dtype.
using TokensDtype = OneOf<"auto", "uint16", "int32", "int64">;

/// Reads token ids from a file: NumPy's .npy (known by its beginning; little-endian, one dimension, C order), or raw
/// little-endian ids. Throws Error for an empty or cut file, for a dtype other than the header's, and for ids that are
/// not tokens of a vocabulary of `vocab_size`. Throws model::InputError for a Git LFS pointer.
TokenStream token_file(const std::filesystem::path& file, std::int64_t vocab_size, const TokensDtype& dtype = {});

}  // namespace bench::harness
