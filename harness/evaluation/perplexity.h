#pragma once

#include "harness/core/one_of.h"
#include "harness/core/stats.h"
#include "harness/data/tokens.h"
#include "model/decoder.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace bench::harness {

/// Which tokens of a stream are scored, and with how much context. The begin token before a paragraph is given and
/// never scored.
///
/// disjoint: windows of `context` tokens, of which the last may be shorter. Every token but each window's first is
/// scored.
/// strided: windows of `context` tokens that begin every `stride` tokens. Every token but the stream's first is scored
/// exactly once, in the first window that holds it. So all scored tokens, except those of the first window, have at
/// least context - stride tokens before them.
using Protocol = OneOf<"disjoint", "strided">;

/// How a stream is scored.
struct PerplexityOptions {
  Protocol protocol = {};
  std::int64_t context = 1024;
  std::int64_t stride = 0;      // for the strided protocol; 0: half the context
  std::int64_t max_tokens = 0;  // how many of the stream to use; 0: all

  std::int64_t step() const { return stride > 0 ? stride : std::max<std::int64_t>(context / 2, 1); }
  /// One line for reports: "strided, context 1024, stride 512".
  std::string text() const;
};

/// A range [begin, end) of the stream that is run through the model. Of it the targets first_scored .. end - 1 are
/// scored.
struct Window {
  std::int64_t begin, end, first_scored;
};

/// Both throw Error for numbers that don't fit; check_context() checks them against the model. `prefix` stands before
/// the names of the options as the user gives them ("--").
void check_options(const PerplexityOptions& options, const std::string& prefix = "");
void check_context(const PerplexityOptions& options, std::int64_t model_max_seq_length, const std::string& where);

/// The windows of a protocol. Throws Error as check_options does.
std::vector<Window> windows_of(std::int64_t tokens, const PerplexityOptions& options);

struct PerplexityResult {
  double nll_nats = 0;  // summed in double
  std::int64_t scored_tokens = 0;
  double text_bytes = 0;  // bytes that the scored tokens stand for; 0 without a text
  std::vector<double> window_nll_nats;
  std::vector<std::int64_t> window_tokens;

  double perplexity() const;
  double bits_per_byte() const;  // NaN without a text
  /// The first window whose loss is not a finite number, if any.
  std::optional<std::size_t> first_bad_window() const;
};

/// Scores a stream. Puts the model in eval mode. `on_progress` gets (windows done, windows) and may throw to stop the
/// work.
PerplexityResult measure_perplexity(model::LanguageModel& model, const TokenStream& tokens,
                                    const PerplexityOptions& options,
                                    const std::function<void(std::int64_t, std::int64_t)>& on_progress = nullptr);

/// The mean difference of the negative log-likelihood per token, b - a, over the same windows, in nats. The interval is
/// that of a ratio of means with windows as the independent units, since neighbouring tokens are not independent. A
/// single window gives no interval (n = 1).
Estimate paired_difference(const PerplexityResult& a, const PerplexityResult& b);

}  // namespace bench::harness
