#pragma once

#include "model/attention.h"
#include "model/dropout.h"
#include "model/feed_forward.h"
#include "model/layer_pass.h"
#include "model/rms_norm.h"
#include "model/tensor.h"

namespace bench::model {

/// One pre-norm decoder block: x + attention(norm(x)), then x + feed_forward(norm(x)), dropout on each branch.
class BlockImpl : public Switchable {
 public:
  BlockImpl(const ModelConfig& config, const torch::TensorOptions& options);
  /// x [B, T, C] -> [B, T, C].
  torch::Tensor forward(torch::Tensor x, const LayerPass& pass);
  void quantize(Quantization quantization);
  DecodeLayer decode_layer() const;
  /// Fills in what the device path reads.
  void fill(DeviceLayer& layer);

 private:
  /// x + dropout(branch).
  torch::Tensor add(const torch::Tensor& x, const torch::Tensor& branch, const DropoutSite& site) const;

  double dropout_;
  Attention self_attn_{nullptr};
  FeedForward mlp_{nullptr};
  RmsNorm input_layernorm_{nullptr}, post_attention_layernorm_{nullptr};
};
TORCH_MODULE(Block);

}  // namespace bench::model
