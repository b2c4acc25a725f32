#pragma once

#include "model/fused/linear.h"

namespace bench::model {

/// Computes down(silu(gate(x)) * up(x)) as one node of the graph. The node keeps x, gate(x) and up(x). The product
/// silu(gate(x)) * up(x) is cheap, so the backward pass computes it again. x [..., C] fp32 or bf16 on the CPU.
torch::Tensor fused_feed_forward(const torch::Tensor& x, const Weight& gate, const Weight& up, const Weight& down);

}  // namespace bench::model
