#include "harness/training/finite.h"

#include <cmath>

#include <ATen/ops/aminmax.h>

namespace bench::harness {
namespace {

bool all_finite(const torch::Tensor& tensor) {
  if (!tensor.is_floating_point() || tensor.numel() == 0) return true;
  const auto [least, greatest] = at::aminmax(tensor.detach());  // both are NaN if any element is NaN
  return std::isfinite(least.item<double>()) && std::isfinite(greatest.item<double>());
}

}  // namespace

std::optional<std::string> first_not_finite(const torch::nn::Module& model) {
  for (const auto& parameter : model.named_parameters())
    if (!all_finite(parameter.value())) return parameter.key();
  return std::nullopt;
}

std::optional<std::string> first_not_finite(const model::NamedTensors& tensors) {
  for (const auto& [name, tensor] : tensors)
    if (!all_finite(tensor)) return name;
  return std::nullopt;
}

}  // namespace bench::harness
