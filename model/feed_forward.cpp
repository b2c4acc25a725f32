#include "model/feed_forward.h"

#include "model/fused/feed_forward.h"
#include "model/fused/rows.h"

namespace bench::model {

torch::Tensor FeedForwardImpl::forward(const torch::Tensor& x) {
  if (!fused_ || !kernels_serve(x)) return down_proj_(torch::silu(gate_proj_(x)) * up_proj_(x));  // [B, T, F] inside
  const auto compute = x.scalar_type();
  return fused_feed_forward(x, gate_proj_->weight_in(compute), up_proj_->weight_in(compute),
                            down_proj_->weight_in(compute));
}

}  // namespace bench::model
