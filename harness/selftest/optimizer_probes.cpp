#include "harness/selftest/comparison.h"
#include "harness/selftest/probes.h"
#include "harness/training/optimizer.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace bench::harness {
namespace {

constexpr double kLearningRate = 0.01, kDecay = 0.1, kMaxNorm = 1, kLossScale = 1024;

/// A matrix, which decays, and a vector, which doesn't, with gradients `kLossScale` times too large.
struct Weights : torch::nn::Module {
  explicit Weights(const Device& device) {
    const auto add = [&](const char* name, at::IntArrayRef sizes, std::uint64_t seed) {
      torch::Tensor weight = register_parameter(name, normal_numbers(sizes, seed).to(device.torch_device()));
      weight.mutable_grad() = (normal_numbers(sizes, seed + 10) * kLossScale).to(device.torch_device());
    };
    add("matrix", {40, 24}, 1);
    add("vector", {24}, 2);
  }
};

std::vector<double> numbers(const torch::Tensor& x) {
  const torch::Tensor flat = exact(x).reshape({-1}).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

/// The weights after the first step of AdamW, by the formula: its moments are 1 - beta of the gradient and of its
/// square, which the corrections for a first step divide by 1 - beta again.
std::vector<double> stepped(const torch::Tensor& weight, double gradient_factor, double eps) {
  std::vector<double> result = numbers(weight);
  const std::vector<double> gradients = numbers(weight.grad());
  const double decay = weight.dim() >= 2 ? kDecay : 0;
  for (std::size_t i = 0; i < result.size(); ++i) {
    const double gradient = gradients[i] * gradient_factor;
    result[i] -= kLearningRate * (decay * result[i] + gradient / (std::abs(gradient) + eps));
  }
  return result;
}

double furthest(const std::vector<double>& a, const std::vector<double>& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double difference = std::abs(a[i] - b[i]);
    if (!(difference <= most)) most = difference;  // NaN as well
  }
  return most;
}

void add_step(const Device& device, bool fused, Worst& worst) {
  Weights weights(device);
  OptimizerConfig config;
  config.eps = 0.01;  // so that the step's size hangs on the gradients' size, scale and clipping included
  double squares = 0;
  for (const auto& weight : weights.parameters())
    for (const double gradient : numbers(weight.grad())) squares += gradient * gradient;
  const double norm = std::sqrt(squares) / kLossScale, factor = kMaxNorm / (norm + 1e-6) / kLossScale;
  std::vector<std::vector<double>> expected;
  for (const auto& weight : weights.parameters()) expected.push_back(stepped(weight, factor, config.eps));

  AdamW optimizer(weights, config, kDecay, fused);
  const Clipping clipping = clip_factor(gradient_norm(weights).item<double>(), kMaxNorm, kLossScale);
  const char* way = fused ? "LibTorch's one-pass step" : "the plain step";
  worst.add(std::abs(clipping.norm - norm), 1e-5 * norm, "the norm of the gradients");
  optimizer.step(kLearningRate, clipping.factor);
  for (std::size_t i = 0; i < expected.size(); ++i)
    // A few roundings of weights below 4; the step itself is up to kLearningRate long.
    worst.add(furthest(numbers(weights.parameters()[i]), expected[i]), 2e-6,
              fmt::format("weights of {} dimensions after {}", weights.parameters()[i].dim(), way));
}

}  // namespace

Finding probe_adamw_step(const Device& device) {
  Worst worst;
  for (const bool fused : {true, false}) add_step(device, fused, worst);
  return worst.finding();
}

}  // namespace bench::harness
