#include "harness/cases/prefill.h"

#include "harness/cost/forward_work.h"
#include "harness/measuring/measure.h"

namespace bench::harness {

void PrefillConfig::validate(const Require& require) const {
  source.validate(require);
  require(batch > 0, "batch", "must be positive", "");
  require(prompt_tokens > 0, "prompt_tokens", "must be positive", "");
  require(samples >= 0, "samples", "must not be negative", "");
  require_sizes(require, {{"batch", batch}, {"prompt_tokens", prompt_tokens}, {"samples", samples}});
  if (source.model)
    require(prompt_tokens <= source.model->value.max_seq_length, "prompt_tokens",
            fmt::format("{} exceeds the model's max_seq_length {}", prompt_tokens, source.model->value.max_seq_length),
            "lower prompt_tokens or choose a model with a longer max_seq_length");
}

void run_prefill(const PrefillConfig& config, Context& context, Record& record) {
  if (is_skipped(config.source, context.device, record)) return;
  const torch::NoGradGuard no_grad;
  model::LanguageModel model = open_model(config.source, context.device, record);
  const torch::Tensor ids =
      random_ids(config.batch, config.prompt_tokens, model->config().vocab_size, config.source.seed)
          .to(model->device());
  model::KvCache cache = model->make_cache(config.batch, config.prompt_tokens);
  record.facts[facts::kPromptTokens] = static_cast<double>(config.prompt_tokens);
  record.facts[facts::kBatch] = static_cast<double>(config.batch);
  const ForwardWork work = forward_work(
      model->config(),
      {record.facts[facts::kBatch], record.facts[facts::kPromptTokens], 0, element_bytes(model->compute_dtype())});
  record_work({work.flops, work.bytes()}, record);
  torch::Tensor logits;
  const auto prompt = [&](Record& into) {
    into.add(series::kPrefillTimeS, "s", time_once(context.device, [&] {
               cache.clear();
               logits = model->next_logits(ids, cache);  // [B, V]
             }));
    return config.samples == 0 ||
           static_cast<std::int64_t>(record.samples(series::kPrefillTimeS).size()) < config.samples;
  };
  measure_in_blocks(context.device, model->compute_dtype(), context.measuring, prompt, record);
  record.facts[facts::kChecksum] = logits.argmax(-1).sum().item<double>();  // the tokens that this prompt leads to
  record_peak_memory(context.device, record);
  record_quantization_cost(config.source, context.device, model, record);
}

void plan_prefill(const PrefillConfig& config, const model::ModelConfig& model, const Ceilings& ceilings,
                  CasePlan& plan) {
  plan.dtype = planned_dtype(config.source, ceilings);
  plan.batch = static_cast<double>(config.batch);
  const auto prompt = static_cast<double>(config.prompt_tokens);
  const std::int64_t element = element_bytes(plan.dtype);
  plan.tokens = plan.batch * prompt;
  plan.memory = estimate_decode_memory(model, {config.batch, config.prompt_tokens, config.prompt_tokens, element, 0});
  plan_forward(forward_work(model, {plan.batch, prompt, 0, element}), ceilings, plan);
}

}  // namespace bench::harness
