#include "harness/cases/perplexity.h"

#include "harness/checkpoints/checkpoints.h"
#include "harness/core/clock.h"
#include "harness/core/progress.h"
#include "harness/data/text_bytes.h"
#include "harness/training/training_data.h"

namespace bench::harness {
namespace {

TokenStream held_out_tokens(const PerplexityConfig& config, const model::ModelConfig& model, Record& record) {
  if (!config.tokens.empty()) {
    record_input(config.tokens, record);
    return token_file(config.tokens, model.vocab_size, config.tokens_dtype);
  }
  const bool any = has_tokenizer(config.source.checkpoint);
  if (config.text == kSynthetic || (!any && config.fallback == kSynthetic))
    return synthetic_validation_tokens(model.vocab_size);
  const CheckpointTokenizer tokenizer = checkpoint_tokenizer(config.source.checkpoint, config.add_bos);
  tokenizer.tokenizer->check_fits(model.vocab_size);
  record.notes["tokenizer"] = tokenizer.assumed;
  record_input(config.text, record);
  return text_tokens_with_bytes(config.text, *tokenizer.tokenizer, /*threads=*/2);
}

/// Records the bytes that bits per byte divide by. Records none where the tokens aren't those of the text.
void record_text_bytes(const TokenStream& tokens, double bytes, bool allow_lossy, Record& record) {
  if (!tokens.text) return;
  const std::string lossy = tokens.text->lossy();
  if (!lossy.empty())
    record.notes["lossy"] = lossy + (allow_lossy ? "" : "; so no bits per byte (allow_lossy: true gives them)");
  if (lossy.empty() || allow_lossy) record.facts[facts::kTextBytes] = bytes;
}

}  // namespace

void PerplexityConfig::validate(const Require& require) const {
  source.validate(require);
  require(!source.checkpoint.empty(), "checkpoint", "is missing", "random weights have no perplexity worth knowing");
  require(tokens.empty() || text == PerplexityConfig{}.text, "text", "and tokens are both given", "one of the two");
  require(tokens.empty() || fallback == "none", "fallback", "is for a text", "tokens need no tokenizer");
  require(tokens.empty() || !allow_lossy, "allow_lossy", "is for a text", "tokens have no bytes");
  require(tokens.empty() || !add_bos, "add_bos", "is for a text", "tokens are scored as they are");
  require(!tokens.empty() || tokens_dtype == "auto", "tokens_dtype", "is for tokens", "");
  require(context >= 2, "context", "must be at least 2", "");
  require_sizes(require, {{"context", context}, {"stride", stride}});
  require(stride == 0 || protocol == "strided", "stride", "is for protocol: strided",
          "disjoint windows follow each other without overlap");
  require(stride >= 0 && (protocol != "strided" || stride < context), "stride", "must be in 1 .. context - 1", "");
  require(max_tokens >= 0, "max_tokens", "must not be negative", "");
}

void run_perplexity(const PerplexityConfig& config, Context& context, Record& record) {
  if (is_skipped(config.source, context.device, record)) return;
  model::LanguageModel model = open_model(config.source, context.device, record);
  const TokenStream tokens = held_out_tokens(config, model->config(), record);
  const PerplexityOptions options{config.protocol, config.context, config.stride, config.max_tokens};
  std::optional<Progress> progress;
  double window_begin_s = now_s();
  const double end_s = window_begin_s + context.budget_s;
  const PerplexityResult result =
      measure_perplexity(model, tokens, options, [&](std::int64_t done, std::int64_t windows) {
        const std::string times = done == 1 ? series::cold(series::kWindowTimeS) : series::kWindowTimeS;
        record.add(times, "s", now_s() - window_begin_s);
        if (!progress) progress.emplace(context.case_name, windows, "windows");
        progress->update(done);
        if (now_s() > end_s && done < windows)
          throw Error::at_run_time(
              "budget_s",
              fmt::format("{:.0f} s were enough for {} of {} windows only", context.budget_s, done, windows),
              "raise budget_s or set max_tokens: a part is not the text's perplexity");
        window_begin_s = now_s();
      });
  record.notes["text"] = tokens.source;
  record.notes["protocol"] = options.text();
  record.facts[facts::kNllNats] = result.nll_nats;
  record.facts[facts::kScoredTokens] = static_cast<double>(result.scored_tokens);
  record_text_bytes(tokens, result.text_bytes, config.allow_lossy, record);
  const bool whole = config.max_tokens == 0 || config.max_tokens >= tokens.size();
  if (tokens.optimum_nll > 0 && whole)  // the source's own, on as many tokens as were scored
    record.facts[facts::kOptimumNllNats] =
        tokens.optimum_nll * static_cast<double>(result.scored_tokens) / static_cast<double>(tokens.size() - 1);
  for (std::size_t i = 0; i < result.window_tokens.size(); ++i) {
    record.add(series::kWindowNllNats, "nats", result.window_nll_nats[i]);
    record.add(series::kWindowTokens, "tokens", static_cast<double>(result.window_tokens[i]));
  }
  record_peak_memory(context.device, record);
}

}  // namespace bench::harness
