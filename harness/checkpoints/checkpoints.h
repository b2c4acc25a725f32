#pragma once

#include "harness/checkpoints/checkpoint_tokenizer.h"
#include "harness/devices/device.h"
#include "model/decoder.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

namespace bench::harness {

/// A checkpoint folder: Hugging Face's config.json, model.safetensors and tokenizer.model, and for ours
/// checksums.xxh128 (in the format of `xxhsum -H2`), by which any changed byte is found.
inline constexpr const char* kChecksumsFile = "checksums.xxh128";

/// Throws Error unless the folder is a checkpoint and, if it is one of ours or has checksums, these name every file
/// that is read from it, and no file outside, and each matches its own. Ours are known by what config.json says
/// (checksums) or by a training state; a folder that Transformers wrote from one of ours is not ours. `training_state`:
/// the optimizer's state as well, which is twice as large as the weights.
void verify_checkpoint(const std::filesystem::path& folder, bool training_state = true);

/// Verifies and loads. `dtype`: of weights and computing.
model::LanguageModel open_checkpoint(const std::filesystem::path& folder, torch::Dtype dtype,
                                     const torch::Device& device);

/// Writes the whole folder or nothing: what was there stays until all is on the disk. `tokenizer` may be null;
/// `add_files` may put more files into the folder before the checksums are made.
void write_checkpoint(const model::LanguageModel& model, const std::filesystem::path& folder, torch::Dtype dtype,
                      const Tokenizer* tokenizer,
                      const std::function<void(const std::filesystem::path&)>& add_files = nullptr);

/// A model with random weights, of that dtype, on the device.
model::LanguageModel new_model(const model::ModelConfig& config, torch::Dtype dtype, const Device& device,
                               std::uint64_t seed);

/// bf16 where the device multiplies it at least as fast as fp32, else fp32.
torch::Dtype fast_dtype(const Device& device);
/// What text is written in: bf16 on every CPU as well, since a token waits for the weights' bytes, not for products.
torch::Dtype decoding_dtype(const Device& device);
/// The dtype that "fp32", "bf16" or "fp16" means; throws Error at `where` for another name.
torch::Dtype dtype_named(const std::string& name, const std::string& where);
/// The same, and for "auto" the device's fast one.
torch::Dtype dtype_or_fast(const std::string& name, const Device& device, const std::string& where);
std::string dtype_text(torch::Dtype dtype);

}  // namespace bench::harness
