#include "model/generate.h"

#include "model/error.h"

#include <algorithm>

namespace bench::model {
namespace {

using Rows = std::vector<std::vector<std::int64_t>>;

/// How many new tokens a prompt of `length` tokens gets at most.
std::int64_t room_behind(std::int64_t length, const GenerateOptions& options) {
  return options.max_length > 0 ? std::min(options.max_new_tokens, options.max_length - length)
                                : options.max_new_tokens;
}

void check_ids(const std::vector<std::int64_t>& prompt, const ModelConfig& config) {
  if (prompt.empty()) throw InputError("prompt", "has no tokens", "give some text to continue");
  for (const std::int64_t id : prompt)
    if (id < 0 || id >= config.vocab_size)
      throw InputError(
          "prompt",
          "token " + std::to_string(id) + " is outside the vocabulary of " + std::to_string(config.vocab_size),
          "does the tokenizer belong to this model?");
}

void check_prompts(const ModelConfig& config, const Rows& prompts, const GenerateOptions& options) {
  if (prompts.empty()) throw InputError("prompt", "is missing", "give some text to continue");
  for (const auto& prompt : prompts) {
    check_ids(prompt, config);
    const auto length = static_cast<std::int64_t>(prompt.size());
    const std::int64_t room = room_behind(length, options);
    if (room < 1)
      throw InputError("prompt",
                       std::to_string(length) + " prompt tokens leave no room for new ones in max_length " +
                           std::to_string(options.max_length),
                       "shorten the prompt");
    if (length + room > config.max_seq_length)
      throw InputError("prompt",
                       std::to_string(length) + " prompt tokens and " + std::to_string(room) +
                           " new ones exceed the model's max_seq_length " + std::to_string(config.max_seq_length),
                       "shorten the prompt or ask for fewer new tokens");
  }
}

torch::Tensor to_tensor(const std::vector<std::int64_t>& ids, const torch::Device& device) {
  return torch::tensor(ids, torch::kInt64).to(device);
}

/// Returns the logits [B, V] behind whole sequences, whose keys and values go into the cache if there is one. Sequences
/// are computed one by one, so nothing is padded, and the numbers of one don't depend on the others.
torch::Tensor logits_behind(LanguageModel& model, const Rows& sequences, KvCache* cache) {
  std::vector<torch::Tensor> logits;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const torch::Tensor ids = to_tensor(sequences[i], model->device()).unsqueeze(0);
    if (cache) {
      KvCache row = cache->row(static_cast<std::int64_t>(i));
      logits.push_back(model->next_logits(ids, row));
    } else {
      logits.push_back(model->head(model->hidden(ids).select(1, -1)));
    }
  }
  return torch::cat(logits);
}

bool ends_a_row(std::int64_t token, const ModelConfig& config, const GenerateOptions& options) {
  if (!options.stop_at_eos) return false;
  if (!options.end_ids) return token == config.eos_token_id;
  return std::ranges::find(*options.end_ids, token) != options.end_ids->end();
}

/// A row that still gets tokens.
struct Row {
  std::size_t index;  // in the prompts
  Sampler sampler;
  std::int64_t room;  // for so many tokens more
};

}  // namespace

Rows generate(LanguageModel& model, const Rows& prompts, const SamplingConfig& sampling,
              const GenerateOptions& options) {
  const torch::NoGradGuard no_grad;
  check_prompts(model->config(), prompts, options);
  model->eval();
  std::vector<Row> active;
  std::int64_t longest = 0;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const auto length = static_cast<std::int64_t>(prompts[i].size());
    active.push_back({i, Sampler(sampling, options.seed), room_behind(length, options)});
    longest = std::max(longest, length + active.back().room);
  }
  KvCache cache = model->make_cache(static_cast<std::int64_t>(prompts.size()), options.use_cache ? longest : 0);
  Rows sequences = prompts;
  bool go_on = true;
  for (bool first = true; go_on && !active.empty(); first = false) {
    torch::Tensor logits;  // [rows that are active, V]
    if (first || !options.use_cache) {
      Rows whole;
      for (const auto& row : active) whole.push_back(sequences[row.index]);
      logits = logits_behind(model, whole, options.use_cache ? &cache : nullptr).cpu();
    } else {
      std::vector<std::int64_t> last;
      for (const auto& row : active) last.push_back(sequences[row.index].back());
      logits = model->next_logits(to_tensor(last, model->device()).unsqueeze(1), cache).cpu();
    }
    std::vector<std::int64_t> kept;
    for (std::size_t i = 0; i < active.size(); ++i) {
      Row& row = active[i];
      const auto index = static_cast<std::int64_t>(row.index);
      const std::int64_t token = row.sampler.next(logits[static_cast<std::int64_t>(i)], sequences[row.index]);
      sequences[row.index].push_back(token);
      if (options.on_token && !options.on_token(index, token)) go_on = false;
      if (--row.room > 0 && !ends_a_row(token, model->config(), options))
        kept.push_back(static_cast<std::int64_t>(i));
      else if (options.on_end)
        options.on_end(index);
    }
    if (kept.size() == active.size()) continue;
    std::vector<Row> rest;
    for (const std::int64_t i : kept) rest.push_back(active[static_cast<std::size_t>(i)]);
    active = std::move(rest);
    if (options.use_cache && !active.empty()) cache.keep(kept);
  }
  for (std::size_t i = 0; i < prompts.size(); ++i)
    sequences[i].erase(sequences[i].begin(), sequences[i].begin() + static_cast<std::ptrdiff_t>(prompts[i].size()));
  return sequences;
}

}  // namespace bench::model
