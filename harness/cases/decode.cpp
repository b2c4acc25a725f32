#include "harness/cases/decode.h"

#include "harness/core/clock.h"
#include "harness/cost/forward_work.h"
#include "model/generate.h"

namespace bench::harness {
namespace {

constexpr std::int64_t kFewestRounds = 4;  // that are timed, time allowing: they give hundreds of tokens' latencies

/// Greedy decoding in rounds: a prompt, then new tokens one by one.
class DecodeRounds {
 public:
  DecodeRounds(model::LanguageModel& model, torch::Tensor prompt, const DecodeConfig& config, const Device& device)
      : model_(model),
        prompt_(std::move(prompt)),
        config_(config),
        device_(device),
        cache_(model->make_cache(config.batch, config.prompt_tokens + config.new_tokens)) {}

  /// Makes the next token. At the beginning of a round it also makes the prompt and the first token before it.
  void step(Record& into) {
    if (made_ == 0 || complete()) {
      cache_.clear();
      made_ = 0;
      checksum_ = 0;
      prompt_s_ = make_token(prompt_, series::kFirstTokenTimeS, into);
    }
    make_token(token_, series::kDecodeStepTimeS, into);
  }
  bool complete() const { return made_ == config_.new_tokens; }
  /// New tokens of this round so far.
  std::int64_t made() const { return made_; }
  /// Seconds of the last prompt.
  double prompt_s() const { return prompt_s_; }
  /// The sum of the round's tokens so far.
  double checksum() const { return checksum_; }
  std::int64_t cache_bytes() const { return cache_.bytes(); }
  /// Counts the launches of each token from now on into `record`, which keeps those of the last; null: no longer.
  void count_into(Record* record) { counted_ = record; }

 private:
  double make_token(const torch::Tensor& ids, const char* series, Record& into) {
    const auto work = [&] { token_ = model_->next_logits(ids, cache_).argmax(-1, true); };
    const double seconds = time_once(device_, [&] { counted_ ? count_launches(device_, work, *counted_) : work(); });
    into.add(series, "s", seconds);
    checksum_ += token_.sum().item<double>();
    ++made_;
    return seconds;
  }

  model::LanguageModel& model_;
  torch::Tensor prompt_, token_;  // [B, T], [B, 1]
  const DecodeConfig& config_;
  const Device& device_;
  model::KvCache cache_;
  std::int64_t made_ = 0;  // tokens of this round
  double checksum_ = 0, prompt_s_ = 0;
  Record* counted_ = nullptr;
};

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
  require_sizes(require, {{"batch", batch},
                          {"prompt_tokens", prompt_tokens},
                          {"new_tokens", new_tokens},
                          {"rounds", rounds},
                          {"compare_tokens", compare_tokens}});
  if (source.model)
    require(prompt_tokens + std::max(new_tokens, compare_tokens) <= source.model->value.max_seq_length, "prompt_tokens",
            fmt::format("{} and {} new tokens exceed the model's max_seq_length {}", prompt_tokens,
                        std::max(new_tokens, compare_tokens), source.model->value.max_seq_length),
            "lower prompt_tokens or choose a model with a longer max_seq_length");
}

void run_decode(const DecodeConfig& config, Context& context, Record& record) {
  if (is_skipped(config.source, context.device, record)) return;
  const torch::NoGradGuard no_grad;
  model::LanguageModel model = open_model(config.source, context.device, record);
  const torch::Tensor prompt =
      random_ids(config.batch, config.prompt_tokens, model->config().vocab_size, config.source.seed);
  DecodeRounds round(model, prompt.to(model->device()), config, context.device);
  record.facts[facts::kBatch] = static_cast<double>(config.batch);
  record.facts[facts::kWeightBytes] = static_cast<double>(model->weight_bytes());
  record.facts[facts::kKvCacheBytes] = static_cast<double>(round.cache_bytes());
  const ForwardWork work = decode_step_work(model->config(), config.batch, config.prompt_tokens, config.new_tokens,
                                            element_bytes(model->compute_dtype()), config.source.quantize);
  record_work({work.flops, work.bytes()}, record);
  std::int64_t rounds = 0;
  bool enough = false;
  // Each timed piece of work is one token (at the beginning of a round, with the prompt before it), so that the speed
  // probe is not far in time from what it is compared with. Only the cold piece is a whole round. The case ends after
  // whole rounds, since a token costs more the more tokens are cached.
  const auto token = [&](Record& into) {
    const bool cold = rounds == 0;
    round.count_into(cold ? &record : nullptr);
    do round.step(into);
    while (cold && !round.complete() && now_s() < context.measuring.end_s);
    if (cold && round.complete()) record.facts[facts::kChecksum] = round.checksum();
    if (cold && !round.complete())
      record.notes["partial_round"] =
          fmt::format("there was time for {} of the {} new tokens: what was counted of them is left out", round.made(),
                      config.new_tokens);
    // A later round may be cut short by the time as well.
    if (cold || round.complete()) ++rounds;
    if (!round.complete()) return true;
    return !enough && (config.rounds == 0 || rounds <= config.rounds) &&
           now_s() + round.prompt_s() < context.measuring.end_s;
  };
  MeasureOptions measuring = context.measuring;
  measuring.enough = [&](const Record& so_far) {
    enough = enough || (rounds > kFewestRounds && context.measuring.enough(so_far));
    return enough && round.complete();
  };
  measure_in_blocks(context.device, model->compute_dtype(), measuring, token, record);
  if (record.notes.contains("partial_round")) drop_counts(record);
  record_peak_memory(context.device, record);  // before the comparison, which needs more
  record_quantization_cost(config.source, context.device, model, record);
  if (config.compare_tokens > 0)
    record.facts[facts::kCachedUncachedMismatches] =
        static_cast<double>(count_mismatches(model, prompt, config.compare_tokens));
}

void plan_decode(const DecodeConfig& config, const model::ModelConfig& model, const Ceilings& ceilings,
                 CasePlan& plan) {
  plan.dtype = planned_dtype(config.source, ceilings);
  plan.batch = plan.tokens = static_cast<double>(config.batch);
  const std::int64_t element = element_bytes(plan.dtype), prompt = config.prompt_tokens;
  plan.memory = estimate_decode_memory(model, {config.batch, prompt, prompt + config.new_tokens, element, 0});
  plan_forward(decode_step_work(model, config.batch, prompt, config.new_tokens, element, config.source.quantize),
               ceilings, plan);
}

}  // namespace bench::harness
