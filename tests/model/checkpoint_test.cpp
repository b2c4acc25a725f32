#include "model/checkpoint.h"

#include "model/error.h"
#include "model/safetensors.h"
#include "tests/model/tiny.h"
#include "tests/temporary_folder.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace bench::model {
namespace {

using tests::TemporaryFolder;
namespace fs = std::filesystem;

nlohmann::json config_json(const fs::path& folder) {
  return nlohmann::json::parse(std::ifstream(folder / "config.json"));
}

std::string error_of(const fs::path& folder) {
  try {
    load_checkpoint(folder, torch::kFloat32, torch::kCPU);
  } catch (const InputError& e) {
    return e.what_is_wrong;
  }
  return "no error";
}

TEST(Checkpoint, LoadedModelIsTheSavedOne) {
  for (const bool tied : {true, false}) {
    const TemporaryFolder folder;
    ModelConfig config = tiny_config();
    config.tie_embeddings = tied;
    config.dropout = 0.1;
    LanguageModel model = tiny_model(config);
    save_checkpoint(model, folder.path(), torch::kFloat32);
    LanguageModel loaded = load_checkpoint(folder.path(), torch::kFloat32, torch::kCPU);
    EXPECT_FALSE(loaded->is_training());
    EXPECT_EQ(loaded->config().dropout, 0.1);
    model->eval();
    const torch::NoGradGuard no_grad;
    EXPECT_TRUE(torch::equal(model(tiny_ids(2, 9)), loaded(tiny_ids(2, 9))));
  }
}

TEST(Checkpoint, LoadingConvertsToTheDtypeAskedFor) {
  const TemporaryFolder folder;
  save_checkpoint(tiny_model(), folder.path(), torch::kBFloat16);
  for (const auto dtype : {torch::kFloat32, torch::kBFloat16}) {
    LanguageModel loaded = load_checkpoint(folder.path(), dtype, torch::kCPU);
    EXPECT_EQ(loaded->parameters()[0].scalar_type(), dtype);
    EXPECT_EQ(loaded->compute_dtype(), dtype);
  }
}

TEST(Checkpoint, ShardsAreReadAsOne) {
  const TemporaryFolder folder;
  LanguageModel model = tiny_model();
  save_checkpoint(model, folder.path(), torch::kFloat32);
  NamedTensors shards[2];
  nlohmann::json index;
  for (const auto& [name, tensor] : read_safetensors(folder.path() / "model.safetensors")) {
    const int shard = name.find("layers.1") != std::string::npos;
    shards[shard][name] = tensor.clone();
    index["weight_map"][name] = "part" + std::to_string(shard) + ".safetensors";
  }
  for (int i = 0; i < 2; ++i)
    write_safetensors(folder.path() / ("part" + std::to_string(i) + ".safetensors"), shards[i]);
  folder.write("model.safetensors.index.json", index.dump());
  fs::remove(folder.path() / "model.safetensors");
  const torch::NoGradGuard no_grad;
  model->eval();
  EXPECT_TRUE(torch::equal(model(tiny_ids(1, 9)),
                           load_checkpoint(folder.path(), torch::kFloat32, torch::kCPU)(tiny_ids(1, 9))));
  fs::remove(folder.path() / "part1.safetensors");
  EXPECT_NE(error_of(folder.path()), "no error");
}

TEST(Checkpoint, RopeThetaIsReadFromEitherPlace) {
  const TemporaryFolder folder;
  save_checkpoint(tiny_model(), folder.path(), torch::kFloat32);
  nlohmann::json json = config_json(folder.path());
  json["rope_theta"] = 5000.0;
  folder.write("config.json", json.dump());
  EXPECT_EQ(read_checkpoint_config(folder.path()).rope_theta, 5000.0);
  json.erase("rope_theta");
  json["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 7000.0}};
  folder.write("config.json", json.dump());
  EXPECT_EQ(read_checkpoint_config(folder.path()).rope_theta, 7000.0);
}

TEST(Checkpoint, WhatTheModelCannotDoIsRefused) {
  const TemporaryFolder folder;
  save_checkpoint(tiny_model(), folder.path(), torch::kFloat32);
  const nlohmann::json good = config_json(folder.path());
  const std::vector<std::pair<nlohmann::json, std::string>> bad{
      {{{"model_type", "gpt2"}}, "model_type: is not llama"},
      {{{"hidden_act", "gelu"}}, "hidden_act: is not silu"},
      {{{"attention_bias", true}}, "attention_bias: is true"},
      {{{"rope_scaling", {{"rope_type", "llama3"}, {"factor", 8.0}}}},
       "rope_scaling: rope_type 'llama3' is not supported"},
      {{{"head_dim", 16}}, "head_dim: is not hidden_size / num_attention_heads"},
      {{{"num_key_value_heads", 3}}, "num_kv_heads: num_heads 4 is not divisible by num_kv_heads 3"},
      {{{"vocab_size", "many"}}, "vocab_size: has the wrong type: \"many\""},
      {{{"hidden_size", nullptr}}, "hidden_size: is missing"}};
  for (const auto& [change, message] : bad) {
    nlohmann::json json = good;
    json.update(change);
    folder.write("config.json", json.dump());
    EXPECT_EQ(error_of(folder.path()), message);
  }
  folder.write("config.json", "{\"model_type\": ");
  EXPECT_EQ(error_of(folder.path()), "is not JSON");
  fs::remove(folder.path() / "config.json");
  EXPECT_EQ(error_of(folder.path()), "no such file");
}

TEST(Checkpoint, WeightsThatDoNotBelongAreRefusedByName) {
  const TemporaryFolder folder;
  save_checkpoint(tiny_model(), folder.path(), torch::kFloat32);
  const NamedTensors good = read_safetensors(folder.path() / "model.safetensors");
  const auto with = [&](const NamedTensors& tensors) {
    NamedTensors copies;
    for (const auto& [name, tensor] : tensors)
      copies[name] = tensor.clone();  // the file that they are views of is replaced
    write_safetensors(folder.path() / "new", copies);
    fs::rename(folder.path() / "new", folder.path() / "model.safetensors");
    return error_of(folder.path());
  };
  NamedTensors tensors = good;
  tensors.erase("model.norm.weight");
  EXPECT_EQ(with(tensors), "model.norm.weight: is missing");
  tensors = good;
  tensors["model.norm.weight"] = torch::ones({5});
  EXPECT_EQ(with(tensors), "model.norm.weight: has shape [5], config.json says [32]");
  tensors = good;
  tensors["model.extra.weight"] = torch::ones({5});
  EXPECT_EQ(with(tensors), "model.extra.weight: is not part of the model that config.json describes");
}

}  // namespace
}  // namespace bench::model
