#pragma once

#include "model/sampling_config.h"
#include "model/tensor.h"

#include <cstdint>
#include <random>
#include <vector>

namespace bench::model {

/// Divides the logits of tokens in `history` by the penalty where they are positive, and multiplies them by it where
/// they are negative (Keskar et al., arXiv 1909.05858). This function and the next two take logits [V] fp32 on the CPU
/// and return new ones; the logit of a removed token is -infinity.
torch::Tensor penalise_repetition(const torch::Tensor& logits, const std::vector<std::int64_t>& history,
                                  double penalty);
/// Keeps the k largest logits, and those that equal the k-th.
torch::Tensor keep_top_k(const torch::Tensor& logits, std::int64_t k);
/// Keeps the smallest set of most probable tokens whose probability reaches p, and at least one token.
torch::Tensor keep_top_p(const torch::Tensor& logits, double p);

/// Chooses tokens for one sequence from its own random numbers: the same seed gives the same tokens in any batch.
class Sampler {
 public:
  Sampler(const SamplingConfig& config, std::uint64_t seed) : config_(config), random_(seed) {}

  /// logits [V], any dtype and device; history: every token of the sequence so far. Throws InputError unless the logits
  /// are finite.
  std::int64_t next(const torch::Tensor& logits, const std::vector<std::int64_t>& history);

 private:
  SamplingConfig config_;
  std::mt19937_64 random_;  // specified to the bit by the C++ standard
};

}  // namespace bench::model
