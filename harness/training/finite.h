#pragma once

#include "model/safetensors.h"
#include "model/tensor.h"

#include <optional>
#include <string>

namespace bench::harness {

/// The first weight that holds NaN or infinity, or nothing. Makes one pass over the memory, and allocates none.
std::optional<std::string> first_not_finite(const torch::nn::Module& model);
/// Does the same for tensors. Tensors of integers count as finite.
std::optional<std::string> first_not_finite(const model::NamedTensors& tensors);

}  // namespace bench::harness
