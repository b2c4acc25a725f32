#include "model/fused/dropout.h"

#include "model/fused/rows.h"
#include "model/kernels/dropout.h"

#include <cmath>
#include <mutex>

#include <ATen/CPUGeneratorImpl.h>
#include <torch/autograd.h>

namespace bench::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

std::int64_t draw_seed() {
  auto* generator =
      at::get_generator_or_default<at::CPUGeneratorImpl>(std::nullopt, at::detail::getDefaultCPUGenerator());
  const std::lock_guard<std::mutex> lock(generator->mutex_);
  return static_cast<std::int64_t>(generator->random64());
}

DropoutMask mask_of(std::int64_t seed, double probability) {
  return {static_cast<std::uint64_t>(seed), static_cast<std::uint32_t>(std::lround(probability * 4294967295.0)),
          static_cast<float>(1 / (1 - probability))};
}

torch::Tensor masked_sum(const DropoutMask& mask, const torch::Tensor& added, const torch::Tensor& masked) {
  const torch::Tensor x = masked.contiguous(), residual = added.defined() ? added.contiguous() : added;
  const torch::Tensor y = torch::empty_like(x);
  const std::int64_t groups = (x.numel() + kDropoutGroup - 1) / kDropoutGroup;
  in_parallel(groups, kDropoutGroup, [&](std::int64_t first, std::int64_t last) {
    const std::int64_t begin = first * kDropoutGroup, end = std::min(last * kDropoutGroup, x.numel());
    dropout_add(element_of(x), mask, residual.defined() ? row_of(residual, begin, 1) : nullptr, row_of(x, begin, 1),
                row_of(y, begin, 1), begin, end - begin);
  });
  return y;
}

/// The mask of a call. The backward pass makes the mask again from two numbers.
DropoutMask keep_mask(AutogradContext* ctx, std::int64_t seed, double probability) {
  ctx->saved_data["seed"] = seed;
  ctx->saved_data["probability"] = probability;
  return mask_of(seed, probability);
}
DropoutMask kept_mask(AutogradContext* ctx) {
  return mask_of(ctx->saved_data["seed"].toInt(), ctx->saved_data["probability"].toDouble());
}

/// residual + dropout(x). The residual's gradient is that of the sum.
struct FusedDropoutAdd : torch::autograd::Function<FusedDropoutAdd> {
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor& residual, const torch::Tensor& x,
                               std::int64_t seed, double probability) {
    return masked_sum(keep_mask(ctx, seed, probability), residual, x);
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    return {gradients[0], masked_sum(kept_mask(ctx), {}, gradients[0]), {}, {}};
  }
};

struct FusedDropout : torch::autograd::Function<FusedDropout> {
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor& x, std::int64_t seed, double probability) {
    return masked_sum(keep_mask(ctx, seed, probability), {}, x);
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    return {masked_sum(kept_mask(ctx), {}, gradients[0]), {}, {}};
  }
};

}  // namespace

torch::Tensor fused_dropout_add(const torch::Tensor& residual, const torch::Tensor& x, double probability) {
  return FusedDropoutAdd::apply(residual, x, draw_seed(), probability);
}

torch::Tensor fused_dropout(const torch::Tensor& x, double probability) {
  return FusedDropout::apply(x, draw_seed(), probability);
}

}  // namespace bench::model
