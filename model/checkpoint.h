#pragma once

#include "model/decoder.h"

#include <filesystem>

namespace bench::model {

/// The config in a Hugging Face folder's config.json. Throws InputError for what this model can't do: another
/// architecture, scaled rotary positions, biases, another activation.
ModelConfig read_checkpoint_config(const std::filesystem::path& folder);

/// A LlamaForCausalLM folder (config.json, model.safetensors) as a model on `device`, in eval mode. `dtype`: of the
/// weights and of computing; weights stored otherwise are converted. Throws InputError naming the tensor at fault.
LanguageModel load_checkpoint(const std::filesystem::path& folder, torch::Dtype dtype, const torch::Device& device);

/// Fills the weights of a model (of any dtype) from the folder's model.safetensors.
void load_weights(LanguageModel& model, const std::filesystem::path& folder);

/// Writes config.json and model.safetensors into an existing folder, the weights as `dtype`, such that Transformers,
/// llama.cpp and MLX read them.
void save_checkpoint(const LanguageModel& model, const std::filesystem::path& folder, torch::Dtype dtype);

}  // namespace bench::model
