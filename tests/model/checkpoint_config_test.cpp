#include "model/checkpoint_config.h"

#include "model/checkpoint.h"
#include "model/error.h"
#include "model/safetensors.h"
#include "tests/model/tiny.h"
#include "tests/temporary_folder.h"

#include <functional>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace bench::model {
namespace {

using nlohmann::json;
using tests::TemporaryFolder;

class CheckpointConfigTest : public testing::Test {
 protected:
  CheckpointConfigTest() {
    save_checkpoint(tiny_model(), folder_.path(), torch::kFloat32);
    good_ = json::parse(std::ifstream(folder_.path() / "config.json"));
    good_.erase("rope_theta");
  }
  /// What is wrong with config.json with those changes, or "theta N".
  std::string with(const json& change) {
    json changed = good_;
    changed.update(change);
    folder_.write("config.json", changed.dump());
    try {
      return "theta " + std::to_string(std::lround(read_checkpoint_config(folder_.path()).rope_theta));
    } catch (const InputError& e) {
      return e.what_is_wrong;
    }
  }
  EndTokens end_tokens(const json& change, const std::string& generation) {
    with(change);
    folder_.write("generation_config.json", generation);
    return read_end_tokens(folder_.path());
  }
  TemporaryFolder folder_;
  json good_;
};

TEST_F(CheckpointConfigTest, GitLfsPointersAreNamed) {
  const std::string pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n";
  const auto says = [&](const std::string& file, const std::function<void()>& read) {
    folder_.write(file, pointer);
    try {
      read();
      ADD_FAILURE() << file;
    } catch (const InputError& e) {
      EXPECT_EQ(e.where, (folder_.path() / file).string());
      EXPECT_EQ(e.what_is_wrong, "is a Git LFS pointer, not the file itself");
    }
  };
  says("generation_config.json", [&] { read_end_tokens(folder_.path()); });
  says("config.json", [&] { read_checkpoint_config(folder_.path()); });
}

TEST_F(CheckpointConfigTest, RopeSaidTwiceMustAgree) {
  EXPECT_EQ(with({{"rope_theta", 5000}, {"rope_parameters", {{"rope_theta", 5000.0}, {"rope_type", "default"}}}}),
            "theta 5000");
  EXPECT_EQ(with({{"rope_theta", 5000.0}, {"rope_parameters", {{"rope_theta", 7000.0}}}}),
            "rope_theta is 5000.0, rope_parameters.rope_theta is 7000.0");
  EXPECT_EQ(with({{"rope_parameters", {{"rope_theta", 7000.0}}}, {"rope_scaling", {{"rope_theta", 300.0}}}}),
            "rope_parameters.rope_theta is 7000.0, rope_scaling.rope_theta is 300.0");
  EXPECT_EQ(with({{"rope_parameters", {{"rope_type", "default"}}},
                  {"rope_scaling", {{"rope_type", "linear"}, {"factor", 2.0}}}}),
            "rope_parameters.rope_type is \"default\", rope_scaling.rope_type is \"linear\"");
  EXPECT_EQ(with({{"rope_parameters", {{"rope_type", "linear"}, {"factor", 4.0}}},
                  {"rope_scaling", {{"type", "linear"}, {"factor", 2.0}}}}),
            "rope_parameters.factor is 4.0, rope_scaling.factor is 2.0");
  EXPECT_EQ(with({{"rope_scaling", {{"type", "linear"}, {"rope_type", "default"}}}}),
            "rope_scaling.rope_type is \"default\", rope_scaling.type is \"linear\"");
  EXPECT_EQ(with({{"rope_theta", 5000.0}, {"rope_scaling", nullptr}}), "theta 5000");
  EXPECT_EQ(with({{"rope_theta", 5000.0}, {"rope_scaling", {{"type", "default"}}}}), "theta 5000");
}

TEST_F(CheckpointConfigTest, ScaledRotaryPositionsAreRefusedByName) {
  for (const std::string type : {"linear", "dynamic", "yarn", "longrope", "llama3"})
    EXPECT_EQ(with({{"rope_scaling", {{"rope_type", type}, {"factor", 2.0}}}}),
              "rope_scaling: rope_type '" + type + "' is not supported");
  EXPECT_EQ(with({{"rope_scaling", {{"factor", 2.0}}}}), "rope_scaling: has a factor without a rope_type");
  EXPECT_EQ(with({{"rope_scaling", "linear"}}), "rope_scaling: has the wrong type: \"linear\"");
  EXPECT_EQ(with({{"partial_rotary_factor", 0.5}}), "partial_rotary_factor: is not 1");
}

TEST_F(CheckpointConfigTest, OtherModelsAndQuantisedOnesAreRefused) {
  EXPECT_EQ(with({{"architectures", {"LlamaForSequenceClassification"}}}), "architectures: has no LlamaForCausalLM");
  EXPECT_EQ(with({{"quantization_config", {{"bits", 4}}}}), "quantization_config: quantised weights are not supported");
}

TEST_F(CheckpointConfigTest, AKeySaidTwiceIsRefused) {
  std::string text = good_.dump();
  text.insert(1, "\"hidden_act\": \"silu\", ");
  folder_.write("config.json", text);
  EXPECT_THROW(read_checkpoint_config(folder_.path()), InputError);
  try {
    read_checkpoint_config(folder_.path());
  } catch (const InputError& e) {
    EXPECT_EQ(e.what_is_wrong, "hidden_act: is said twice");
  }
}

TEST_F(CheckpointConfigTest, EveryEndOfBothFilesCounts) {
  const EndTokens end = end_tokens({{"eos_token_id", {5, 7}}}, R"({"eos_token_id": [7, 9]})");
  EXPECT_EQ(end.ids, (std::vector<std::int64_t>{5, 7, 9}));
  EXPECT_EQ(end.said_in, "config.json and generation_config.json");
  EXPECT_EQ(read_checkpoint_config(folder_.path()).eos_token_id, 5);
  EXPECT_EQ(end_tokens({{"eos_token_id", 5}}, R"({"eos_token_id": null})").ids, (std::vector<std::int64_t>{5}));
  EXPECT_TRUE(end_tokens({{"eos_token_id", nullptr}}, "{}").ids.empty());
  good_.erase("eos_token_id");
  EXPECT_EQ(end_tokens(json::object(), "{}").ids, (std::vector<std::int64_t>{2}));  // Transformers' default
  EXPECT_EQ(end_tokens(json::object(), R"({"eos_token_id": 3})").ids, (std::vector<std::int64_t>{3}));
  EXPECT_THROW(end_tokens(json::object(), R"({"eos_token_id": 96})"), InputError);
  EXPECT_THROW(end_tokens(json::object(), R"({"eos_token_id": "</s>"})"), InputError);
}

class TiedHeadTest : public CheckpointConfigTest {
 protected:
  std::string with_head(const torch::Tensor& head) {
    NamedTensors weights;
    for (const auto& [name, tensor] : read_safetensors(folder_.path() / "model.safetensors"))
      weights[name] = tensor.clone();
    weights["lm_head.weight"] = head;
    write_safetensors(folder_.path() / "new", weights);
    std::filesystem::rename(folder_.path() / "new", folder_.path() / "model.safetensors");
    try {
      load_checkpoint(folder_.path(), torch::kFloat32, torch::kCPU);
    } catch (const InputError& e) {
      return e.what_is_wrong;
    }
    return "no error";
  }
  torch::Tensor embedding() {
    return read_safetensors(folder_.path() / "model.safetensors")["model.embed_tokens.weight"].clone();
  }
};

TEST_F(TiedHeadTest, AStoredHeadMustBeTheEmbedding) {
  EXPECT_EQ(with_head(embedding()), "no error");
  torch::Tensor other = embedding();
  other[90][3] = -other[90][3];
  const std::string error = with_head(other);
  EXPECT_EQ(error.rfind("tie_word_embeddings: is true, but lm_head.weight has other numbers than "
                        "model.embed_tokens.weight",
                        0),
            0u)
      << error;
  LanguageModel model = tiny_model();
  EXPECT_THROW(load_weights(model, folder_.path()), InputError);
  EXPECT_EQ(with_head(embedding().slice(0, 0, 95)).rfind("tie_word_embeddings", 0), 0u);
}

TEST_F(TiedHeadTest, WholeNumbersAreNoWeights) {
  with({{"tie_word_embeddings", false}});
  const std::string error = with_head(torch::ones({96, 32}, torch::kInt8));
  EXPECT_EQ(error.rfind("lm_head.weight: is Char", 0), 0u) << error;
}

}  // namespace
}  // namespace bench::model
