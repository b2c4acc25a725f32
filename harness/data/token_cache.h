#pragma once

#include "model/tensor.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <ostream>
#include <span>
#include <string>

namespace bench::harness {

/// What determines the tokens of a text.
struct TokenOrigin {
  std::string text_hash, tokenizer_hash;
  std::optional<std::int64_t> begin_id;
};

/// Where the tokens of a text are kept: in `train.txt.<key>.tokens` beside it.
std::filesystem::path token_cache_path(const std::filesystem::path& text, const TokenOrigin& origin);

/// The kept ids [N] int32, as mapped pages of the file. Returns nothing unless the file records this origin, its length
/// and the hash of its ids, and all of them are right.
std::optional<torch::Tensor> read_token_cache(const std::filesystem::path& file, const TokenOrigin& origin);

/// Calls `produce` with a sink for ids, and writes these ids with all that read_token_cache() checks. Throws Error.
using TokenSink = std::function<void(std::span<const std::int32_t>)>;
void write_token_cache(const std::filesystem::path& file, const TokenOrigin& origin,
                       const std::function<void(const TokenSink&)>& produce);

}  // namespace bench::harness
