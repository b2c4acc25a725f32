#pragma once

#include "model/safetensors.h"
#include "model/tensor.h"

#include <optional>
#include <string>

namespace bench::harness {

/// The first weight that holds NaN or infinity, or nothing. Costs one pass over the memory, and takes none.
std::optional<std::string> first_not_finite(const torch::nn::Module& model);
/// The same of tensors; those of whole numbers are finite.
std::optional<std::string> first_not_finite(const model::NamedTensors& tensors);

}  // namespace bench::harness
