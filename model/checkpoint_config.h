#pragma once

#include "model/config.h"

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace bench::model {

/// Reads the config from a Hugging Face folder's config.json. Throws InputError for what this model can't do (another
/// architecture, scaled rotary positions, biases, another activation, quantised weights) and where the file says a
/// thing twice.
ModelConfig read_checkpoint_config(const std::filesystem::path& folder);

/// The tokens that end a text.
struct EndTokens {
  std::vector<std::int64_t> ids;
  std::string said_in;  // "config.json and generation_config.json"
};
/// Reads all tokens that the folder's config.json and generation_config.json name as eos_token_id, a number or a list.
/// Throws InputError for ids outside the vocabulary.
EndTokens read_end_tokens(const std::filesystem::path& folder);

}  // namespace bench::model
