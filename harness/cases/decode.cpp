#include "harness/cases/decode.h"

#include "harness/core/clock.h"
#include "harness/core/progress.h"
#include "harness/measure.h"
#include "model/generate.h"

namespace bench::harness {
namespace {

struct Round {
  double first_token_s = 0;
  std::vector<double> step_s;
  double checksum = 0;  // sum of the chosen tokens
};

/// Prompt, then new tokens until the round is full or the time is up.
Round decode_round(model::LanguageModel& model, const torch::Tensor& prompt, model::KvCache& cache,
                   const DecodeConfig& config, const Device& device, double end_s) {
  Round round;
  torch::Tensor token;  // [B, 1]
  cache.clear();
  round.first_token_s = time_once(device, [&] { token = model->next_logits(prompt, cache).argmax(-1, true); });
  round.checksum = token.sum().item<double>();
  while (static_cast<std::int64_t>(round.step_s.size()) + 1 < config.new_tokens &&
         (round.step_s.empty() || now_s() < end_s)) {
    round.step_s.push_back(time_once(device, [&] { token = model->next_logits(token, cache).argmax(-1, true); }));
    round.checksum += token.sum().item<double>();
  }
  return round;
}

/// Greedy tokens with and without the cache, from the first prompt.
std::int64_t count_mismatches(model::LanguageModel& model, const torch::Tensor& prompt, std::int64_t tokens) {
  const auto* first = prompt[0].const_data_ptr<std::int64_t>();
  const std::vector<std::vector<std::int64_t>> prompts{{first, first + prompt.size(1)}};
  model::SamplingConfig greedy;
  greedy.do_sample = false;
  greedy.repetition_penalty = 1;
  model::GenerateOptions options{.max_new_tokens = tokens, .stop_at_eos = false};
  const auto cached = model::generate(model, prompts, greedy, options);
  options.use_cache = false;
  const auto uncached = model::generate(model, prompts, greedy, options);
  std::int64_t mismatches = 0;
  for (std::size_t i = 0; i < cached[0].size(); ++i) mismatches += cached[0][i] != uncached[0][i];
  return mismatches;
}

}  // namespace

void DecodeConfig::validate(const Require& require) const {
  source.validate(require);
  require(batch > 0, "batch", "must be positive", "");
  require(prompt_tokens > 0, "prompt_tokens", "must be positive", "");
  require(new_tokens > 1, "new_tokens", "must be at least 2", "the first comes from the prompt, the others are timed");
  require(rounds > 0, "rounds", "must be positive", "");
  require(compare_tokens >= 0, "compare_tokens", "must not be negative", "");
  if (source.model)
    require(prompt_tokens + std::max(new_tokens, compare_tokens) <= source.model->value.max_seq_length, "prompt_tokens",
            fmt::format("{} and {} new tokens exceed the model's max_seq_length {}", prompt_tokens,
                        std::max(new_tokens, compare_tokens), source.model->value.max_seq_length),
            "lower prompt_tokens or choose a model with a longer max_seq_length");
}

Record run_decode(const DecodeConfig& config, Context& context) {
  const double end_s = now_s() + context.budget_s;
  Record record = new_record(context, "decode", to_json(config));
  if (skip_for_missing_checkpoint(config.source, record)) return record;
  const torch::NoGradGuard no_grad;
  model::LanguageModel model = open_model(config.source, context.device, record);
  const torch::Tensor prompt =
      random_ids(config.batch, config.prompt_tokens, model->config().vocab_size, config.source.seed);
  model::KvCache cache = model->make_cache(config.batch, config.prompt_tokens + config.new_tokens);
  record.facts["batch"] = static_cast<double>(config.batch);
  record.facts["kv_cache_bytes"] = static_cast<double>(cache.bytes());
  const auto one_round = [&] {
    return decode_round(model, prompt.to(model->device()), cache, config, context.device, end_s);
  };

  Progress progress(context.case_name, config.rounds + 1, "rounds");
  const double begin_s = now_s();
  Round round = one_round();
  progress.update(1);
  record.facts["cold_first_token_time_s"] = round.first_token_s;
  record.facts["checksum"] = round.checksum;
  const bool time_for_another = now_s() + (now_s() - begin_s) < end_s;
  for (std::int64_t i = 0; i < config.rounds; ++i) {
    if (time_for_another) {
      if (i > 0 && now_s() >= end_s) break;
      round = one_round();
    }
    record.add("first_token_time_s", "s", round.first_token_s);
    for (const double s : round.step_s) record.add("decode_step_time_s", "s", s);
    progress.update(i + 2);
    if (!time_for_another) break;  // the only round was the cold one
  }
  record_peak_memory(context.device, record);  // before the comparison, which needs more
  if (config.compare_tokens > 0)
    record.facts["cached_uncached_mismatches"] =
        static_cast<double>(count_mismatches(model, prompt, config.compare_tokens));
  return record;
}

}  // namespace bench::harness
