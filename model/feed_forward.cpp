#include "model/feed_forward.h"

#include "model/fused/feed_forward.h"
#include "model/fused/rows.h"

namespace bench::model {

torch::Tensor FeedForwardImpl::forward(const torch::Tensor& x) {
  if (!fused_ || !has_kernels(x) || gate_proj_->quantized())
    return down_proj_(torch::silu(gate_proj_(x)) * up_proj_(x));  // [B, T, F] inside
  const auto compute = x.scalar_type();
  return fused_feed_forward(x, gate_proj_->weight_in(compute), up_proj_->weight_in(compute),
                            down_proj_->weight_in(compute));
}

void FeedForwardImpl::quantize(Quantization quantization) {
  for (const Linear& linear : {gate_proj_, up_proj_, down_proj_}) linear.ptr()->quantize(quantization);
}

void FeedForwardImpl::fill(DeviceLayer& layer) {
  LinearImpl::join(layer.gate_up, {gate_proj_.get(), up_proj_.get()});
  layer.down = down_proj_->device_matrix();
}

void FeedForwardImpl::fill(DecodeLayer& layer) const {
  layer.gate = gate_proj_->rows();
  layer.up = up_proj_->rows();
  layer.down = down_proj_->rows();
}

}  // namespace bench::model
