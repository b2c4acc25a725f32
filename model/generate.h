#pragma once

#include "model/decoder.h"
#include "model/sampler.h"

#include <functional>
#include <optional>
#include <vector>

namespace bench::model {

struct GenerateOptions {
  std::int64_t max_new_tokens = 128;  // of each row
  std::int64_t max_length = 0;  // a row ends at this length, prompt included, even before max_new_tokens; 0: no limit
  bool stop_at_eos = true;
  std::optional<std::vector<std::int64_t>> end_ids = {};  // at which a row ends; nothing: the model's eos_token_id
  bool use_cache = true;                                  // false: the whole sequence is computed again for each token
  std::uint64_t seed = 0;
  /// Called with (row, token) as soon as a token is chosen; returning false ends the generation.
  std::function<bool(std::int64_t, std::int64_t)> on_token = nullptr;
  /// Called with a row that got its last token. Not called for rows that ended early because on_token returned false.
  std::function<void(std::int64_t)> on_end = nullptr;
};

/// Continues prompts together; they may have different lengths. Each row gets the tokens that it would get alone. (For
/// kManyTokens or more rows of a model that isn't quantised, and on devices other than the CPU, the logits agree to
/// rounding only.) Returns only the new tokens of each row, an end-of-sequence token included. Throws InputError for an
/// empty prompt, ids outside the vocabulary, no room for a single token, or more tokens than the model's
/// max_seq_length.
std::vector<std::vector<std::int64_t>> generate(LanguageModel& model,
                                                const std::vector<std::vector<std::int64_t>>& prompts,
                                                const SamplingConfig& sampling, const GenerateOptions& options);

}  // namespace bench::model
