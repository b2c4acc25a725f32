#pragma once

#include <cstdint>
#include <vector>

namespace bench::harness {

/// A first-order Markov source whose entropy rate is known exactly. Each token i has four successors, which follow with
/// probability 1/2, 1/4, 1/8 and 1/8, whatever i is. The successors of different tokens form permutations. So every
/// token is equally frequent, and each token after the first carries 1.75 bits. No model can do better in the mean.
class SyntheticLanguage {
 public:
  /// `vocab_size` (>= 8) and `language_seed` fix the language.
  explicit SyntheticLanguage(std::int64_t vocab_size, std::uint64_t language_seed = 1);

  /// A text of `tokens` tokens; another `text_seed` gives another text of the same language.
  std::vector<std::int32_t> text(std::int64_t tokens, std::uint64_t text_seed) const;

  /// -ln P(next | token) under the source itself; infinite if `next` can't follow `token`.
  double nll(std::int32_t token, std::int32_t next) const;
  /// The entropy rate in nats per token: 1.75 ln 2.
  static double entropy_rate();

 private:
  std::int32_t successor(std::int32_t token, std::size_t rank) const;

  std::vector<std::int32_t> permutation_;
};

}  // namespace bench::harness
