#include "model/fused/head_loss.h"

#include "model/fused/rows.h"
#include "model/fused/weight_gradient.h"
#include "model/kernels/cross_entropy.h"
#include "model/loss.h"

#include <algorithm>

namespace bench::model {
namespace {

/// `logits` become their gradient; returns each row's negative log-likelihood [N], fp32.
torch::Tensor cross_entropy_backward(torch::Tensor& logits, const torch::Tensor& targets,
                                     const torch::Tensor& gradient_scale) {
  const std::int64_t columns = logits.size(1);
  if (!has_kernels(logits)) {
    const torch::Tensor log_probability = torch::log_softmax(logits, -1, torch::kFloat32);
    const torch::Tensor scored = targets.ne(kNotScored), safe = targets.clamp_min(0).unsqueeze(1);
    const torch::Tensor nll = -log_probability.gather(1, safe).squeeze(1) * scored;
    torch::Tensor gradient = log_probability.exp_();
    gradient.scatter_add_(1, safe, torch::full_like(safe, -1, gradient.options()));
    logits.copy_(gradient.mul_(scored.unsqueeze(1)).mul_(gradient_scale));
    return nll;
  }
  const torch::Tensor nll = torch::empty({logits.size(0)}, torch::kFloat32);
  const auto scale = gradient_scale.item<float>();
  in_parallel(logits.size(0), columns, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t r = first; r < last; ++r) {
      const std::int64_t target = targets.const_data_ptr<std::int64_t>()[r];
      float& out = nll.mutable_data_ptr<float>()[r];
      void* row = row_of(logits, r, columns);
      if (target == kNotScored) {
        out = 0;
        std::fill_n(static_cast<char*>(row), columns * static_cast<std::int64_t>(logits.element_size()), char{0});
      } else {
        out = cross_entropy_row(element_of(logits), row, columns, target, scale);
      }
    }
  });
  return nll;
}

}  // namespace

std::int64_t head_loss_rows(std::int64_t vocab_size, std::int64_t element_bytes) {
  constexpr std::int64_t kBytes = 64 << 20;  // enough rows for a product at full rate
  return std::max<std::int64_t>(64, kBytes / (vocab_size * element_bytes));
}

HeadLoss head_loss_backward(const torch::Tensor& hidden, const Weight& head, const torch::Tensor& targets,
                            double gradient_scale) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor x = as_matrix(hidden), flat = targets.reshape({-1}).contiguous();
  TORCH_CHECK(head.master.grad().defined() || !head.master.requires_grad(), "the head needs a gradient to add to");
  const std::int64_t rows = x.size(0);
  const std::int64_t piece = std::min(rows, head_loss_rows(head.in_compute.size(0), x.element_size()));
  const torch::Tensor count = flat.ne(kNotScored).sum().clamp_min(1).to(torch::kFloat32);  // stays on the device
  const torch::Tensor scale = gradient_scale / count;
  HeadLoss result{torch::zeros({}, x.options().dtype(torch::kFloat32)), torch::empty_like(x)};
  torch::Tensor logits = torch::empty({piece, head.in_compute.size(0)}, x.options());
  for (std::int64_t first = 0; first < rows; first += piece) {
    const std::int64_t n = std::min(piece, rows - first);
    const torch::Tensor part = x.narrow(0, first, n);
    torch::Tensor part_logits = logits.narrow(0, 0, n), part_gradient = result.hidden_gradient.narrow(0, first, n);
    at::mm_out(part_logits, part, head.in_compute.t());
    result.loss += cross_entropy_backward(part_logits, flat.narrow(0, first, n), scale).sum();
    at::mm_out(part_gradient, part_logits, head.in_compute);
    add_weight_gradient(head.master, part_logits, part);
  }
  result.loss /= count;
  result.hidden_gradient = result.hidden_gradient.view(hidden.sizes());
  return result;
}

}  // namespace bench::model
