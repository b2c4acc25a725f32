#pragma once

#include <cstdint>
#include <vector>

namespace bench::harness {

/// A first-order Markov source whose entropy rate is known exactly. After token i comes successor j of i with
/// probability 1/2, 1/4, 1/8 or 1/8, whatever i is, and the successors of different tokens form permutations: so every
/// token is equally frequent, and each token after the first carries 1.75 bits. No model can do better in the mean.
class SyntheticLanguage {
 public:
  /// The language is fixed by vocab_size >= 8 and `language_seed`.
  explicit SyntheticLanguage(std::int64_t vocab_size, std::uint64_t language_seed = 1);

  /// A text of that many tokens; another `text_seed` gives another text of the same language.
  std::vector<std::int32_t> text(std::int64_t tokens, std::uint64_t text_seed) const;

  /// -ln P(next | token) under the source itself; infinite if it can't follow.
  double nll(std::int32_t token, std::int32_t next) const;
  /// Nats per token: 1.75 ln 2.
  static double entropy_rate();

 private:
  std::int32_t successor(std::int32_t token, std::size_t rank) const;

  std::vector<std::int32_t> permutation_;
};

}  // namespace bench::harness
