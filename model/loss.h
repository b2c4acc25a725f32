#pragma once

#include "model/tensor.h"

namespace bench::model {

/// Target value of positions that are not scored.
inline constexpr std::int64_t kNotScored = -1;

/// Negative log-likelihood of each target in nats, fp32: logits [N, V], targets [N] int64 -> [N]; 0 where kNotScored.
torch::Tensor token_nll(const torch::Tensor& logits, const torch::Tensor& targets);

/// Mean of token_nll over the scored positions, as a scalar to differentiate. logits [..., V], targets [...].
torch::Tensor mean_nll(const torch::Tensor& logits, const torch::Tensor& targets);

/// The targets of next-token prediction: ids [B, T] -> [B, T]. Each target is the next id; at each row's end it is
/// kNotScored.
torch::Tensor next_token_targets(const torch::Tensor& ids);

}  // namespace bench::model
