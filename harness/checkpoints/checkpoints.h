#pragma once

#include "harness/checkpoints/checkpoint_tokenizer.h"
#include "harness/devices/device.h"
#include "model/decoder.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace bench::harness {

/// A checkpoint is a folder with Hugging Face's config.json, model.safetensors and tokenizer.model. Our own checkpoints
/// also have checksums.xxh128 (in the format of `xxhsum -H2`), which reveals any changed byte.
inline constexpr const char* kChecksumsFile = "checksums.xxh128";

/// Throws Error unless the folder is a checkpoint. If it is one of ours or has checksums, these must name every file
/// that is read from it and no file outside it, and each file must match its checksum. A checkpoint is ours if its
/// config.json mentions checksums or if it has a training state; a folder that Transformers wrote from one of ours is
/// not ours. `training_state`: whether to verify the optimizer's state as well, which is twice as large as the weights.
void verify_checkpoint(const std::filesystem::path& folder, bool training_state = true);

/// Verifies and loads a checkpoint. `dtype` is that of the weights and of the computation.
model::LanguageModel open_checkpoint(const std::filesystem::path& folder, torch::Dtype dtype,
                                     const torch::Device& device);

/// Writes either the whole folder or nothing: the old folder stays until everything is on the disk. `tokenizer` may be
/// null; `add_files` may put more files into the folder before the checksums are made.
void write_checkpoint(const model::LanguageModel& model, const std::filesystem::path& folder, torch::Dtype dtype,
                      const Tokenizer* tokenizer,
                      const std::function<void(const std::filesystem::path&)>& add_files = nullptr);

/// Makes a model with random weights, of that dtype, on the device.
model::LanguageModel new_model(const model::ModelConfig& config, torch::Dtype dtype, const Device& device,
                               std::uint64_t seed);

/// bf16 where the device multiplies bf16 at least as fast as fp32, else fp32.
torch::Dtype fast_dtype(const Device& device);
/// The dtype for generating text. It is bf16 on every CPU as well, since each token waits for the bytes of the weights,
/// not for products.
torch::Dtype decoding_dtype(const Device& device);
/// The dtype that "fp32", "bf16" or "fp16" means. Throws Error at `where` for another name.
torch::Dtype dtype_named(const std::string& name, const std::string& where);
/// Does the same, and returns the device's fast dtype for "auto".
torch::Dtype dtype_or_fast(const std::string& name, const Device& device, const std::string& where);
std::string dtype_text(torch::Dtype dtype);

}  // namespace bench::harness
