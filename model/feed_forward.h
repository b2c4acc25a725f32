#pragma once

#include "model/config.h"
#include "model/fused/decode_step.h"
#include "model/linear.h"

namespace bench::model {

/// SwiGLU: down(silu(gate(x)) * up(x)). x [B, T, C] -> [B, T, C]. Shazeer, 2020 (arXiv 2002.05202).
class FeedForwardImpl : public Switchable {
 public:
  FeedForwardImpl(const ModelConfig& config, const torch::TensorOptions& options) {
    gate_proj_ = register_module("gate_proj", Linear(config.hidden_size, config.intermediate_size, options));
    up_proj_ = register_module("up_proj", Linear(config.hidden_size, config.intermediate_size, options));
    down_proj_ = register_module("down_proj", Linear(config.intermediate_size, config.hidden_size, options));
  }
  torch::Tensor forward(const torch::Tensor& x);
  void quantize(Quantization quantization);
  /// Fills in the gate, up and down that decode_step reads.
  void fill(DecodeLayer& layer) const;
  /// Fills in what the device path reads.
  void fill(DeviceLayer& layer);

 private:
  Linear gate_proj_{nullptr}, up_proj_{nullptr}, down_proj_{nullptr};
};
TORCH_MODULE(FeedForward);

}  // namespace bench::model
