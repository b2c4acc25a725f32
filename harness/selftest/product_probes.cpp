#include "harness/selftest/comparison.h"
#include "harness/selftest/probes.h"
#include "model/fused/weight_gradient.h"

#include <fmt/format.h>

namespace bench::harness {
namespace {

constexpr std::int64_t kTokens = 32768, kIn = 32, kOut = 48;

/// The factors of a weight's gradient. Every number is a few eighths, which bf16 holds, and has a mean of its own, so
/// that terms that are left out are missed.
struct Factors {
  Factors(const Device& device, torch::Dtype dtype) {
    const auto eighths = [&](std::int64_t columns, std::uint64_t seed) {
      return ((normal_numbers({kTokens, columns}, seed) * 4).round().clamp(-8, 8) / 8 + 0.25).to(dtype);
    };
    const torch::Tensor g = eighths(kOut, 1), t = eighths(kIn, 2);
    expected = torch::mm(exact(g).t(), exact(t));
    y_gradient = g.to(device.torch_device());
    x = t.to(device.torch_device());
    weight = torch::zeros({kOut, kIn}, torch::dtype(dtype).device(device.torch_device())).requires_grad_();
  }
  torch::Tensor expected, y_gradient, x, weight;
};

/// By how much the raw product differs, as a share of the largest element.
double share_of_raw(const Factors& factors) {
  return distance(at::mm(factors.y_gradient.t(), factors.x), factors.expected) / largest(factors.expected);
}

}  // namespace

Finding probe_long_products(const Device& device) {
  const torch::NoGradGuard no_grad;
  Worst worst;
  std::string raw;
  for (const torch::Dtype dtype : {torch::kFloat32, torch::kBFloat16}) {
    Factors factors(device, dtype);
    worst.compare(model::add_weight_gradient(factors.weight, factors.y_gradient, factors.x), factors.expected, dtype,
                  fmt::format("the gradient of a weight over {} tokens, {}", kTokens, short_name(dtype)));
    factors.weight.mutable_grad() = torch::zeros_like(factors.weight);
    model::add_weight_gradient(factors.weight, factors.y_gradient, factors.x);
    worst.compare(factors.weight.grad(), factors.expected, dtype,
                  fmt::format("the same added to a gradient, {}", short_name(dtype)));
    raw += fmt::format("{}{:.1e} in {}", raw.empty() ? "" : " and ", share_of_raw(factors), short_name(dtype));
  }
  worst.note(fmt::format("LibTorch's product of all tokens at once is off by {} of the largest element", raw));
  return worst.finding();
}

}  // namespace bench::harness
