#include "model/generate.h"

#include "model/error.h"

#include <algorithm>

namespace bench::model {
namespace {

using Rows = std::vector<std::vector<std::int64_t>>;

std::int64_t longest(const Rows& rows) {
  std::size_t most = 0;
  for (const auto& row : rows) most = std::max(most, row.size());
  return static_cast<std::int64_t>(most);
}

void check_prompts(const ModelConfig& config, const Rows& prompts, std::int64_t max_new_tokens) {
  if (prompts.empty()) throw InputError("prompt", "is missing", "give some text to continue");
  for (const auto& prompt : prompts) {
    if (prompt.empty()) throw InputError("prompt", "has no tokens", "give some text to continue");
    for (const std::int64_t id : prompt)
      if (id < 0 || id >= config.vocab_size)
        throw InputError(
            "prompt",
            "token " + std::to_string(id) + " is outside the vocabulary of " + std::to_string(config.vocab_size),
            "does the tokenizer belong to this model?");
  }
  const std::int64_t length = longest(prompts);
  if (length + max_new_tokens > config.max_seq_length)
    throw InputError("prompt",
                     std::to_string(length) + " prompt tokens and " + std::to_string(max_new_tokens) +
                         " new ones exceed the model's max_seq_length " + std::to_string(config.max_seq_length),
                     "shorten the prompt or ask for fewer new tokens");
}

/// Rows of equal length as ids [B, T].
torch::Tensor to_tensor(const Rows& rows, const torch::Device& device) {
  torch::Tensor ids =
      torch::empty({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(rows[0].size())}, torch::kInt64);
  for (std::size_t i = 0; i < rows.size(); ++i)
    std::copy(rows[i].begin(), rows[i].end(), ids[static_cast<std::int64_t>(i)].data_ptr<std::int64_t>());
  return ids.to(device);
}

bool same_lengths(const Rows& rows) {
  return std::all_of(rows.begin(), rows.end(), [&](const auto& row) { return row.size() == rows[0].size(); });
}

/// Logits [B, V] behind the rows. With a cache `rows` are only what it doesn't hold yet.
torch::Tensor logits_behind(LanguageModel& model, const Rows& rows, KvCache* cache) {
  if (same_lengths(rows)) {
    const torch::Tensor ids = to_tensor(rows, model->device());
    return cache ? model->next_logits(ids, *cache) : model->head(model->hidden(ids).select(1, -1));
  }
  std::vector<torch::Tensor> logits;  // nothing is padded: prompts of different lengths are read one by one
  for (std::size_t row = 0; row < rows.size(); ++row) {
    if (cache) {
      KvCache one = cache->row(static_cast<std::int64_t>(row));
      logits.push_back(logits_behind(model, {rows[row]}, &one));
    } else {
      logits.push_back(logits_behind(model, {rows[row]}, nullptr));
    }
  }
  return torch::cat(logits);
}

}  // namespace

Rows generate(LanguageModel& model, const Rows& prompts, const SamplingConfig& sampling,
              const GenerateOptions& options) {
  const torch::NoGradGuard no_grad;
  check_prompts(model->config(), prompts, options.max_new_tokens);
  model->eval();
  const auto batch = static_cast<std::int64_t>(prompts.size());
  std::vector<Sampler> samplers(prompts.size(), Sampler(sampling, options.seed));
  Rows sequences = prompts, last(prompts.size());
  std::vector<bool> ended(prompts.size(), false);
  KvCache cache = model->make_cache(batch, options.use_cache ? longest(prompts) + options.max_new_tokens : 0);
  for (std::int64_t step = 0; step < options.max_new_tokens; ++step) {
    // With a cache: the prompt first, then one token a step. Without: the whole sequence each time.
    const Rows& input = step == 0 || !options.use_cache ? sequences : last;
    const torch::Tensor logits = logits_behind(model, input, options.use_cache ? &cache : nullptr).cpu();  // [B, V]
    bool go_on = true;
    for (std::size_t row = 0; row < prompts.size(); ++row) {
      // An ended row goes on being computed (the batch is a rectangle) but no token of it is kept.
      const std::int64_t token = samplers[row].next(logits[static_cast<std::int64_t>(row)], sequences[row]);
      sequences[row].push_back(token);
      last[row] = {token};
      if (ended[row]) continue;
      if (options.on_token && !options.on_token(static_cast<std::int64_t>(row), token)) go_on = false;
      if (options.stop_at_eos && token == model->config().eos_token_id) ended[row] = true;
    }
    if (!go_on || std::all_of(ended.begin(), ended.end(), [](bool e) { return e; })) break;
  }
  for (std::size_t row = 0; row < prompts.size(); ++row) {
    auto& tokens = sequences[row];
    tokens.erase(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(prompts[row].size()));
    if (!options.stop_at_eos) continue;
    const auto eos = std::find(tokens.begin(), tokens.end(), model->config().eos_token_id);
    if (eos != tokens.end()) tokens.erase(eos + 1, tokens.end());
  }
  return sequences;
}

}  // namespace bench::model
