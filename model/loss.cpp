#include "model/loss.h"

namespace bench::model {
namespace {

torch::Tensor nll(const torch::Tensor& logits, const torch::Tensor& targets, at::Reduction::Reduction reduction) {
  return at::cross_entropy_loss(logits.to(torch::kFloat32), targets, /*weight=*/{}, reduction, kNotScored);
}

}  // namespace

torch::Tensor token_nll(const torch::Tensor& logits, const torch::Tensor& targets) {
  return nll(logits, targets, at::Reduction::None);
}

torch::Tensor mean_nll(const torch::Tensor& logits, const torch::Tensor& targets) {
  return nll(logits.reshape({-1, logits.size(-1)}), targets.reshape({-1}), at::Reduction::Mean);
}

torch::Tensor next_token_targets(const torch::Tensor& ids) {
  return torch::constant_pad_nd(ids.slice(1, 1), {0, 1}, kNotScored);
}

}  // namespace bench::model
