#pragma once

#include "model/checkpoint_config.h"
#include "model/decoder.h"

#include <filesystem>

namespace bench::model {

/// Loads a LlamaForCausalLM folder (config.json, model.safetensors) as a model on `device`, in eval mode. `dtype` is
/// the dtype of the weights and of the computation; weights stored in another dtype are converted. Throws InputError
/// naming the tensor at fault. Also throws InputError where a head that is said to be tied has numbers of its own.
LanguageModel load_checkpoint(const std::filesystem::path& folder, torch::Dtype dtype, const torch::Device& device);

/// Fills the weights of a model (of any dtype) from the folder's model.safetensors.
void load_weights(LanguageModel& model, const std::filesystem::path& folder);

/// Writes config.json and model.safetensors into an existing folder, with the weights as `dtype`. Transformers,
/// llama.cpp and MLX can read them.
void save_checkpoint(const LanguageModel& model, const std::filesystem::path& folder, torch::Dtype dtype);

}  // namespace bench::model
