#pragma once

#include "harness/data/tokenizer.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace bench::harness {

inline constexpr const char* kTokenizerFile = "tokenizer.model";

/// A checkpoint's tokenizer, and a text for people that says what was assumed about how texts begin.
struct CheckpointTokenizer {
  std::unique_ptr<Tokenizer> tokenizer;
  std::string assumed;  // "texts begin with <s> (1): add_bos_token in tokenizer_config.json"
};

/// The tokenizer inside the checkpoint. Its texts begin with the bos token if tokenizer_config.json says add_bos_token;
/// `add_bos` overrides that. If neither says anything, texts begin with no such token, as in Transformers 5. Throws
/// Error for a checkpoint without a tokenizer.
CheckpointTokenizer checkpoint_tokenizer(const std::filesystem::path& folder, std::optional<bool> add_bos = {});
bool has_tokenizer(const std::filesystem::path& folder);

}  // namespace bench::harness
