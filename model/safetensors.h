#pragma once

#include "model/tensor.h"

#include <filesystem>
#include <map>
#include <string>

namespace bench::model {

/// Tensors by name, in the order of their names.
using NamedTensors = std::map<std::string, torch::Tensor>;

/// Maps a safetensors file (https://huggingface.co/docs/safetensors). Each tensor is a mapping of the file's pages,
/// which the first reader brings in; writing to a tensor changes no file. Reads F64, F32, F16, BF16, I64, I32, I8, U8
/// and BOOL. Throws InputError with the byte at fault for anything that is truncated, overlapping or out of bounds.
NamedTensors read_safetensors(const std::filesystem::path& file);

/// Writes tensors (copied to the CPU one by one). Throws WriteError when the disk is full. An older file of this name
/// must not be lost by that, so write to a new name.
void write_safetensors(const std::filesystem::path& file, const NamedTensors& tensors);

}  // namespace bench::model
