#pragma once

#include "harness/training/training_config.h"
#include "model/safetensors.h"
#include "model/tensor.h"

#include <map>
#include <string>
#include <vector>

namespace bench::harness {

/// AdamW (Loshchilov and Hutter, arXiv 1711.05101): decoupled weight decay on matrices (embedding and head included),
/// none on vectors (the norms). State is fp32 like the weights.
class AdamW {
 public:
  /// `fused`: whether to use LibTorch's one-pass operator instead of the plain formula. Both agree to rounding.
  AdamW(const torch::nn::Module& model, const OptimizerConfig& config, double weight_decay, bool fused);

  /// Makes one update from the parameters' gradients times gradient_factor. Every parameter must have a gradient. The
  /// gradients may be changed.
  void step(double learning_rate, double gradient_factor = 1);

  /// The moments by parameter name ("exp_avg.model.norm.weight"), for checkpoints.
  model::NamedTensors state() const;
  /// Throws Error at `where` if the state isn't that of a model's parameters.
  static void check_state(const model::NamedTensors& state, const torch::nn::Module& model, const std::string& where);
  /// Loads the moments and the number of updates. Throws Error at `where` as check_state does.
  void load_state(const model::NamedTensors& state, std::int64_t updates, const std::string& where);
  /// The number of updates made: optimizer steps without the skipped ones.
  std::int64_t updates() const { return updates_; }

 private:
  struct Group {
    double weight_decay;
    std::vector<std::string> names;
    std::vector<torch::Tensor> parameters, exp_avg, exp_avg_sq, step;  // step: fp32 scalars, as the operator wants
  };
  void step_plain(Group& group, double learning_rate, double gradient_factor);
  void step_fused(Group& group, double learning_rate, double gradient_factor);

  OptimizerConfig config_;
  bool fused_;
  std::int64_t updates_ = 0;
  std::vector<Group> groups_;
};

struct Clipping {
  double norm = 0;    // global L2 norm of the gradients
  double factor = 1;  // by which the gradients are to be multiplied
};

/// The global L2 norm of the gradients, a fp32 scalar where the model is.
torch::Tensor gradient_norm(const torch::nn::Module& model);

/// Computes the clipping of gradients with that norm to max_norm, as in torch.nn.utils.clip_grad_norm_: min(1, max_norm
/// / (norm + 1e-6)). The gradients are `loss_scale` times too large, and the factor makes up for that too. The
/// optimizer multiplies by the factor in its own pass.
Clipping clip_factor(double scaled_norm, double max_norm, double loss_scale = 1);

}  // namespace bench::harness
