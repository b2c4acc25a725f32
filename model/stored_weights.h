#pragma once

#include "model/safetensors.h"

#include <filesystem>
#include <string>

namespace bench::model {

/// The tensors of a checkpoint: those of model.safetensors or, where there is model.safetensors.index.json, each from
/// the shard that the index names for it. Throws InputError where the folder says two things: a weight that stands in
/// another file (model*.safetensors) with other numbers, or that the index knows and its file doesn't; and with a hint
/// for folders that hold their weights in another format or under other names.
NamedTensors read_weights(const std::filesystem::path& folder);

/// Whether two tensors hold the same numbers in the same shape, whatever their dtypes.
bool same_numbers(const torch::Tensor& a, const torch::Tensor& b);

/// Older files carry the rotary frequencies, which follow from the config.
bool is_rotary_frequency(const std::string& name);

}  // namespace bench::model
