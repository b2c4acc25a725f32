#pragma once

#include "model/fused/linear.h"

namespace bench::model {

/// down(silu(gate(x)) * up(x)) as one node of the graph. It keeps x, gate(x) and up(x); the product of both is cheap
/// and made again in the backward pass. x [..., C] fp32 or bf16 on the CPU.
torch::Tensor fused_feed_forward(const torch::Tensor& x, const Weight& gate, const Weight& up, const Weight& down);

}  // namespace bench::model
