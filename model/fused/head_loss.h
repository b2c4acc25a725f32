#pragma once

#include "model/fused/linear.h"

namespace bench::model {

struct HeadLoss {
  torch::Tensor loss;             // mean over the scored positions, fp32 scalar
  torch::Tensor hidden_gradient;  // of gradient_scale * loss, like hidden
};

/// Computes the head, the loss and the backward pass of both, a few rows at a time, so that the logits of all rows
/// never exist together. The gradient of gradient_scale * loss by the head's weight is added to the gradient that the
/// weight has, which must exist already. hidden [..., C], weight [V, C], targets [...] int64, kNotScored where a
/// position doesn't count.
HeadLoss head_loss_backward(const torch::Tensor& hidden, const Weight& head, const torch::Tensor& targets,
                            double gradient_scale);

/// The number of rows whose logits head_loss_backward holds at once.
std::int64_t head_loss_rows(std::int64_t vocab_size, std::int64_t element_bytes);

}  // namespace bench::model
