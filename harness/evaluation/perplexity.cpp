#include "harness/evaluation/perplexity.h"

#include "harness/core/error.h"
#include "model/loss.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

namespace bench::harness {
namespace {

/// The sums over a window's scored tokens.
struct Sum {
  double nll_nats = 0;
  std::int64_t tokens = 0;
  double text_bytes = 0;
};

/// Scores one window.
Sum score(model::LanguageModel& model, const TokenStream& stream, const Window& window) {
  const torch::Tensor ids = stream.ids.slice(0, window.begin, window.end);
  const torch::Tensor tokens = ids.to(torch::kInt64).to(model->device());  // [T]
  const std::int64_t skipped = window.first_scored - window.begin - 1;
  const torch::Tensor hidden = model->hidden(tokens.slice(0, 0, -1).unsqueeze(0))[0];  // [T - 1, C]
  const torch::Tensor logits = model->head(hidden.slice(0, skipped));                  // [targets, V]
  // Summed in double on the host, since MPS has no double.
  torch::Tensor each = model::token_nll(logits, tokens.slice(0, skipped + 1)).cpu().to(torch::kFloat64);  // [targets]
  torch::Tensor bytes;
  if (stream.text) bytes = stream.text->of_token.slice(0, window.first_scored, window.end);  // [targets]
  if (stream.begin_id) {
    const torch::Tensor predicted = ids.slice(0, skipped + 1) != *stream.begin_id;
    each = each.masked_select(predicted);
    if (bytes.defined()) bytes = bytes.masked_select(predicted);
  }
  return {each.sum().item<double>(), each.size(0), bytes.defined() ? bytes.sum().item<double>() : 0};
}

}  // namespace

std::string PerplexityOptions::text() const {
  const std::string stride_text = protocol == "strided" ? fmt::format(", stride {}", step()) : "";
  return fmt::format("{}, context {}{}", protocol.value, context, stride_text);
}

void check_options(const PerplexityOptions& options, const std::string& prefix) {
  if (options.context < 2)
    throw Error(prefix + "context", fmt::format("{} is too short", options.context),
                "a token is predicted from at least one other");
  if (options.protocol == "disjoint" && options.stride != 0)
    throw Error(prefix + "stride", "is for the strided protocol", "disjoint windows follow each other without overlap");
  if (options.stride < 0 || (options.protocol == "strided" && options.step() >= options.context))
    throw Error(prefix + "stride",
                fmt::format("{} is not in 1 .. context - 1 = {}", options.stride, options.context - 1));
}

void check_context(const PerplexityOptions& options, std::int64_t model_max_seq_length, const std::string& where) {
  if (options.context <= model_max_seq_length) return;
  throw Error(where, fmt::format("{} exceeds the model's max_seq_length {}", options.context, model_max_seq_length));
}

std::vector<Window> windows_of(std::int64_t tokens, const PerplexityOptions& options) {
  check_options(options);
  std::vector<Window> windows;
  if (options.protocol == "disjoint") {
    for (std::int64_t begin = 0; begin + 1 < tokens; begin += options.context)
      windows.push_back({begin, std::min(begin + options.context, tokens), begin + 1});
    return windows;
  }
  const std::int64_t stride = options.step();
  std::int64_t scored_up_to = 1;  // nothing predicts the stream's first token
  for (std::int64_t begin = 0; scored_up_to < tokens; begin += stride) {
    const std::int64_t end = std::min(begin + options.context, tokens);
    windows.push_back({begin, end, scored_up_to});
    scored_up_to = end;
  }
  return windows;
}

double PerplexityResult::perplexity() const { return std::exp(nll_nats / static_cast<double>(scored_tokens)); }
double PerplexityResult::bits_per_byte() const {
  return text_bytes > 0 ? nll_nats / std::log(2.0) / text_bytes : std::nan("");
}

std::optional<std::size_t> PerplexityResult::first_bad_window() const {
  const auto bad = std::ranges::find_if_not(window_nll_nats, [](double nats) { return std::isfinite(nats); });
  if (bad == window_nll_nats.end()) return {};
  return static_cast<std::size_t>(bad - window_nll_nats.begin());
}

PerplexityResult measure_perplexity(model::LanguageModel& model, const TokenStream& tokens,
                                    const PerplexityOptions& options,
                                    const std::function<void(std::int64_t, std::int64_t)>& on_progress) {
  const torch::NoGradGuard no_grad;
  check_context(options, model->config().max_seq_length, "context");
  const std::int64_t count = options.max_tokens > 0 ? std::min(options.max_tokens, tokens.size()) : tokens.size();
  const std::vector<Window> windows = windows_of(count, options);
  if (windows.empty()) throw Error(tokens.source, fmt::format("{} token(s) are too few to score", count));
  model->eval();
  PerplexityResult result;
  for (const Window& window : windows) {
    const Sum sum = score(model, tokens, window);
    result.window_nll_nats.push_back(sum.nll_nats);
    result.window_tokens.push_back(sum.tokens);
    result.nll_nats += sum.nll_nats;
    result.scored_tokens += sum.tokens;
    result.text_bytes += sum.text_bytes;
    if (on_progress)
      on_progress(static_cast<std::int64_t>(result.window_tokens.size()), static_cast<std::int64_t>(windows.size()));
  }
  return result;
}

Estimate paired_difference(const PerplexityResult& a, const PerplexityResult& b) {
  if (a.window_tokens != b.window_tokens)
    throw Error("paired difference", "the two were not scored on the same windows");
  const double per_window = static_cast<double>(a.scored_tokens) / static_cast<double>(a.window_tokens.size());
  const double difference = (b.nll_nats - a.nll_nats) / static_cast<double>(a.scored_tokens);
  // Delta method: takes each window's residual from the common difference per token, in units of a mean window.
  std::vector<double> parts;
  for (std::size_t i = 0; i < a.window_tokens.size(); ++i)
    parts.push_back(difference + (b.window_nll_nats[i] - a.window_nll_nats[i] -
                                  difference * static_cast<double>(a.window_tokens[i])) /
                                     per_window);
  return mean(parts);
}

}  // namespace bench::harness
