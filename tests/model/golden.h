#pragma once

#include "model/checkpoint.h"
#include "model/path.h"
#include "model/safetensors.h"

#include <fstream>
#include <string>

#include <nlohmann/json.hpp>

namespace bench::model {

/// One folder of tests/golden: numbers from Transformers. tests/golden/README.md says what each entry is.
struct Golden {
  explicit Golden(const std::string& variant)
      : folder(std::string(BENCH_SOURCE_DIR) + "/tests/golden/" + variant),
        tensors(read_safetensors(folder + "/ref.safetensors")) {
    json = nlohmann::json::parse(std::ifstream(folder + "/ref.json"));
  }
  LanguageModel load() const {
    LanguageModel model = load_checkpoint(folder, torch::kFloat32, torch::kCPU);
    model->set_tiled_gradient(path() == Path::kPortable);  // as on the devices that have no other
    return model;
  }

  /// Compares a tensor with the entry of that name, or with "name@16": every 16th element of the flattened tensor.
  /// Returns the largest absolute difference.
  double difference(const std::string& name, const torch::Tensor& value) const {
    if (const auto whole = tensors.find(name); whole != tensors.end())
      return (value - whole->second).abs().max().item<double>();
    return (value.reshape({-1}).slice(0, 0, std::nullopt, 16) - tensors.at(name + "@16")).abs().max().item<double>();
  }

  std::string folder;
  NamedTensors tensors;
  nlohmann::json json;
};

}  // namespace bench::model
