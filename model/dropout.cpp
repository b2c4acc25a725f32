#include "model/dropout.h"

#include "model/fused/rows.h"
#include "model/kernels/dropout.h"
#include "model/mixed_bits.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/DeviceAccelerator.h>
#include <torch/autograd.h>

namespace bench::model {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;
using Seeds = std::vector<std::int64_t>;  // of the sequences; signed, as autograd keeps them

DropoutMask mask_of(std::int64_t seed, double probability) {
  return {static_cast<std::uint64_t>(seed), static_cast<std::uint32_t>(std::lround(probability * 4294967295.0)),
          static_cast<float>(1 / (1 - probability))};
}

/// residual + dropout(x), or dropout(x) if residual is undefined, with our kernels.
torch::Tensor masked_by_kernels(const Seeds& seeds, double probability, const torch::Tensor& residual,
                                const torch::Tensor& x) {
  const torch::Tensor y = torch::empty_like(x);
  const auto sequences = static_cast<std::int64_t>(seeds.size());
  const std::int64_t length = x.numel() / std::max<std::int64_t>(sequences, 1);
  const std::int64_t groups = (length + kDropoutGroup - 1) / kDropoutGroup;  // of each sequence
  in_parallel(sequences * groups, kDropoutGroup, [&](std::int64_t first, std::int64_t last) {
    while (first < last) {
      const std::int64_t sequence = first / groups, group = first % groups;
      const std::int64_t count = std::min(groups - group, last - first);
      const std::int64_t begin = group * kDropoutGroup, end = std::min(length, (group + count) * kDropoutGroup);
      const auto at = [&](const torch::Tensor& tensor) { return row_of(tensor, sequence * length + begin, 1); };
      dropout_add(element_of(x), mask_of(seeds[static_cast<std::size_t>(sequence)], probability),
                  residual.defined() ? at(residual) : nullptr, at(x), at(y), begin, end - begin);
      first += count;
    }
  });
  return y;
}

/// A new generator of that device with that seed. Nothing is read from the device's own generator, nor changed in it.
at::Generator generator_on(const torch::Device& device, std::int64_t seed) {
  if (!at::accelerator::isAccelerator(device.type()))
    return at::detail::createCPUGenerator(static_cast<std::uint64_t>(seed));
  at::Generator generator = at::globalContext().defaultGenerator(device).clone();
  generator.set_current_seed(static_cast<std::uint64_t>(seed));
  return generator;
}

/// Computes the same with LibTorch's operators, from another mask.
torch::Tensor masked_by_operators(const Seeds& seeds, double probability, const torch::Tensor& residual,
                                  const torch::Tensor& x) {
  const torch::Tensor kept = torch::empty_like(x);  // 1 or 0
  for (std::size_t i = 0; i < seeds.size(); ++i)
    kept[static_cast<std::int64_t>(i)].bernoulli_(1 - probability, generator_on(x.device(), seeds[i]));
  const double scale = 1 / (1 - probability);
  return residual.defined() ? at::addcmul(residual, x, kept, scale) : at::mul(x, kept).mul_(scale);
}

torch::Tensor masked_sum(const Seeds& seeds, double probability, const torch::Tensor& residual,
                         const torch::Tensor& x) {
  const torch::Tensor added = residual.defined() ? residual.contiguous() : residual;
  return (has_kernels(x) ? masked_by_kernels : masked_by_operators)(seeds, probability, added, x.contiguous());
}

/// Keeps what the backward pass makes the masks of again.
void keep(AutogradContext* ctx, const Seeds& seeds, double probability) {
  ctx->saved_data["seeds"] = seeds;
  ctx->saved_data["probability"] = probability;
}

torch::Tensor masked_gradient(AutogradContext* ctx, const torch::Tensor& gradient) {
  return masked_sum(ctx->saved_data["seeds"].toIntVector(), ctx->saved_data["probability"].toDouble(), {}, gradient);
}

struct SeededDropout : torch::autograd::Function<SeededDropout> {
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor& x, const Seeds& seeds, double probability) {
    keep(ctx, seeds, probability);
    return masked_sum(seeds, probability, {}, x);
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    return {masked_gradient(ctx, gradients[0]), {}, {}};
  }
};

/// residual + dropout(x). The residual's gradient is that of the sum.
struct SeededDropoutAdd : torch::autograd::Function<SeededDropoutAdd> {
  static torch::Tensor forward(AutogradContext* ctx, const torch::Tensor& residual, const torch::Tensor& x,
                               const Seeds& seeds, double probability) {
    keep(ctx, seeds, probability);
    return masked_sum(seeds, probability, residual, x);
  }
  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    return {gradients[0], masked_gradient(ctx, gradients[0]), {}, {}};
  }
};

Seeds seeds_of(const DropoutSite& site, std::int64_t sequences) {
  Seeds seeds;
  for (std::int64_t i = 0; i < sequences; ++i) seeds.push_back(static_cast<std::int64_t>(site.seed(i)));
  return seeds;
}

}  // namespace

std::uint64_t DropoutSite::seed(std::int64_t sequence) const {
  std::uint64_t seed = mixed_bits(key.seed);
  for (const std::int64_t n : {key.step, key.first_sequence + sequence, number})
    seed = mixed_bits(seed ^ (static_cast<std::uint64_t>(n) + 0x9E3779B97F4A7C15u));
  return seed;
}

torch::Tensor dropout(const torch::Tensor& x, double probability, const DropoutSite& site) {
  return SeededDropout::apply(x, seeds_of(site, x.size(0)), probability);
}

torch::Tensor dropout_add(const torch::Tensor& residual, const torch::Tensor& x, double probability,
                          const DropoutSite& site) {
  return SeededDropoutAdd::apply(residual, x, seeds_of(site, x.size(0)), probability);
}

}  // namespace bench::model
