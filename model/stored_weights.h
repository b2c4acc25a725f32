#pragma once

#include "model/safetensors.h"

#include <filesystem>
#include <string>

namespace bench::model {

/// The tensors of a checkpoint. They come from model.safetensors or, where there is model.safetensors.index.json, each
/// from the shard that the index names for it. Throws InputError where the folder contradicts itself: a weight also
/// stands in another file (model*.safetensors) with other numbers, or the index names a weight that its file doesn't
/// have. Also throws InputError, with a hint, for folders that hold their weights in another format or under other
/// names.
NamedTensors read_weights(const std::filesystem::path& folder);

/// Whether two tensors hold the same numbers in the same shape, whatever their dtypes.
bool same_numbers(const torch::Tensor& a, const torch::Tensor& b);

/// Whether the tensor of this name holds rotary frequencies. Older files carry them, although they follow from the
/// config.
bool is_rotary_frequency(const std::string& name);

}  // namespace bench::model
