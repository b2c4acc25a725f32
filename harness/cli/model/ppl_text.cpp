#include "harness/cli/model/ppl_text.h"

#include <cmath>
#include <ostream>

namespace bench::harness {
namespace {

/// A NaN's sign means nothing.
double unsigned_nan(double value) { return std::isnan(value) ? std::fabs(value) : value; }

/// An interval's end; one window has none.
Json end_or_null(const Estimate& e, double end) { return e.n > 1 ? number_or_null(end) : Json(nullptr); }

std::string difference_text(const Estimate& d) {
  if (d.n < 2)
    return fmt::format(
        "{:+.6f} nats per token, perplexity ratio {:.5f}; one window has no interval: use a longer text "
        "or a shorter --context",
        d.value, std::exp(d.value));
  return fmt::format(
      "{:+.6f} nats per token, 95 % interval [{:+.6f}, {:+.6f}], perplexity ratio {:.5f} [{:.5f}, {:.5f}]", d.value,
      d.low, d.high, std::exp(d.value), std::exp(d.low), std::exp(d.high));
}

}  // namespace

Json to_json(const Scored& scored) {
  const PerplexityResult& r = scored.result;
  Json json = {{"checkpoint", scored.checkpoint},
               {"tokens", scored.tokens.source},
               {"perplexity", number_or_null(r.perplexity())},
               {"nll_nats", number_or_null(r.nll_nats)},
               {"scored_tokens", r.scored_tokens},
               {"text_bytes", scored.tokens.text ? Json(r.text_bytes) : Json(nullptr)},
               {"bits_per_byte", number_or_null(r.bits_per_byte())},
               {"window_nll_nats", Json::array()},
               {"window_tokens", r.window_tokens}};
  for (const double nats : r.window_nll_nats) json["window_nll_nats"].push_back(number_or_null(nats));
  if (!scored.assumed.empty()) json["assumed"] = scored.assumed;
  if (scored.tokens.text)
    json["changed_paragraphs"] = {{"of", scored.tokens.text->paragraphs},
                                  {"changed", scored.tokens.text->changed_paragraphs}};
  if (scored.cost)
    json["quantization"] = {{"perplexity_ratio", number_or_null(scored.cost->perplexity_ratio())},
                            {"kl_divergence_nats", number_or_null(scored.cost->kl_divergence_nats)},
                            {"same_top_share", scored.cost->same_top_share},
                            {"tokens", scored.cost->tokens}};
  return json;
}

void print(const Scored& scored, std::ostream& out) {
  const PerplexityResult& r = scored.result;
  const std::string bits = r.text_bytes > 0 ? fmt::format(", {:.4f} bits per byte", r.bits_per_byte()) : "";
  out << fmt::format("{}: perplexity {:.4f} (nll {:.6f} nats per token, {} tokens{})\n", scored.checkpoint,
                     unsigned_nan(r.perplexity()), unsigned_nan(r.nll_nats / static_cast<double>(r.scored_tokens)),
                     r.scored_tokens, bits);
  if (!scored.assumed.empty()) out << fmt::format("  {}\n", scored.assumed);
  if (scored.tokens.text && !scored.tokens.text->lossy().empty())
    out << fmt::format("  {}\n", scored.tokens.text->lossy());
  if (scored.cost) out << fmt::format("  what quantising costs: {}\n", scored.cost->text());
}

std::string why_not_finite(const Scored& scored, const PerplexityOptions& options) {
  const PerplexityResult& r = scored.result;
  const double perplexity = unsigned_nan(r.perplexity());
  if (std::isfinite(perplexity)) return "";
  const auto bad = r.first_bad_window();
  if (!bad) return fmt::format("{}: the perplexity is {}", scored.checkpoint, perplexity);
  const Window window = windows_of(scored.tokens.size(), options)[*bad];
  return fmt::format("{}: the perplexity is {}: window {} of {} (tokens {} .. {}) is the first whose loss is {}",
                     scored.checkpoint, perplexity, *bad + 1, r.window_nll_nats.size(), window.begin, window.end - 1,
                     unsigned_nan(r.window_nll_nats[*bad]));
}

Json print_differences(const std::vector<Scored>& all, std::ostream& out) {
  Json rows = Json::array();
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (!torch::equal(all[0].tokens.ids, all[i].tokens.ids)) {
      out << fmt::format("{} and {} have different tokens: compare bits per byte\n", all[0].checkpoint,
                         all[i].checkpoint);
      continue;
    }
    const Estimate d = paired_difference(all[0].result, all[i].result);
    out << fmt::format("{} - {}: {}\n", all[i].checkpoint, all[0].checkpoint, difference_text(d));
    rows.push_back({{"base", all[0].checkpoint},
                    {"checkpoint", all[i].checkpoint},
                    {"nats_per_token", number_or_null(d.value)},
                    {"low", end_or_null(d, d.low)},
                    {"high", end_or_null(d, d.high)},
                    {"windows", d.n}});
  }
  return rows;
}

}  // namespace bench::harness
