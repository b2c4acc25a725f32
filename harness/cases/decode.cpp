#include "harness/cases/decode.h"

#include "harness/cases/forward_work.h"
#include "harness/core/clock.h"
#include "model/generate.h"

namespace bench::harness {
namespace {

/// Prompt, then new tokens until the round is full or the time is up. Returns the sum of the chosen tokens.
double decode_round(model::LanguageModel& model, const torch::Tensor& prompt, model::KvCache& cache,
                    const DecodeConfig& config, const Context& context, Record& into) {
  torch::Tensor token;  // [B, 1]
  cache.clear();
  const auto next = [&](const torch::Tensor& ids) {
    return time_once(context.device, [&] { token = model->next_logits(ids, cache).argmax(-1, true); });
  };
  into.add("first_token_time_s", "s", next(prompt));
  double checksum = token.sum().item<double>();
  for (std::int64_t i = 1; i < config.new_tokens && (i == 1 || now_s() < context.plan.end_s); ++i) {
    into.add("decode_step_time_s", "s", next(token));
    checksum += token.sum().item<double>();
  }
  return checksum;
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
  require(rounds >= 0, "rounds", "must not be negative", "");
  require(compare_tokens >= 0, "compare_tokens", "must not be negative", "");
  if (source.model)
    require(prompt_tokens + std::max(new_tokens, compare_tokens) <= source.model->value.max_seq_length, "prompt_tokens",
            fmt::format("{} and {} new tokens exceed the model's max_seq_length {}", prompt_tokens,
                        std::max(new_tokens, compare_tokens), source.model->value.max_seq_length),
            "lower prompt_tokens or choose a model with a longer max_seq_length");
}

Record run_decode(const DecodeConfig& config, Context& context) {
  Record record = new_record(context, "decode", to_json(config));
  if (skip_for_missing_checkpoint(config.source, record)) return record;
  const torch::NoGradGuard no_grad;
  model::LanguageModel model = open_model(config.source, context.device, record);
  const torch::Tensor prompt =
      random_ids(config.batch, config.prompt_tokens, model->config().vocab_size, config.source.seed);
  model::KvCache cache = model->make_cache(config.batch, config.prompt_tokens + config.new_tokens);
  record.facts["batch"] = static_cast<double>(config.batch);
  record.facts["kv_cache_bytes"] = static_cast<double>(cache.bytes());
  ForwardWork work = decode_step_work(model->config(), config.batch, config.prompt_tokens, config.new_tokens,
                                      element_bytes(model->compute_dtype()));
  if (model->quantization() != model::Quantization::kNone)
    work.weight_bytes = static_cast<double>(model->decode_weight_bytes());
  record_work({work.flops, work.bytes()}, record);
  const torch::Tensor ids = prompt.to(model->device());
  std::int64_t rounds = -1;  // the first is the cold one
  const auto round = [&](Record& into) {
    const double checksum = decode_round(model, ids, cache, config, context, into);
    // The first round's: a later one may be cut short by the time.
    if (++rounds == 0) record.facts["checksum"] = checksum;
    return config.rounds == 0 || rounds < config.rounds;
  };
  measure_in_blocks(context.device, model->compute_dtype(), context.plan, round, record);
  record_peak_memory(context.device, record);  // before the comparison, which needs more
  record_quantization_cost(config.source, context.device, model, record);
  if (config.compare_tokens > 0)
    record.facts["cached_uncached_mismatches"] =
        static_cast<double>(count_mismatches(model, prompt, config.compare_tokens));
  return record;
}

}  // namespace bench::harness
