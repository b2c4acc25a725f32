#include "model/stored_weights.h"

#include "model/checkpoint.h"
#include "model/error.h"
#include "tests/model/tiny.h"
#include "tests/temporary_folder.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace bench::model {
namespace {

using tests::TemporaryFolder;
namespace fs = std::filesystem;

/// A checkpoint in two shards, a.safetensors without and b.safetensors with the second layer, by an index. The files
/// begin with "model-", and the index's owner of a weight may be the later file by name.
class ShardsTest : public testing::Test {
 protected:
  ShardsTest() {
    config_.tie_embeddings = true;
    save_checkpoint(tiny_model(config_), folder_.path(), torch::kFloat32);
    for (const auto& [name, tensor] : read_safetensors(folder_.path() / "model.safetensors")) {
      const std::string file = name.find("layers.1") == std::string::npos ? kA : kB;
      shards_[file][name] = tensor.clone();
      index_["weight_map"][name] = file;
    }
    fs::remove(folder_.path() / "model.safetensors");
    write();
  }
  void write() {
    for (const auto& [file, tensors] : shards_) {
      write_safetensors(folder_.path() / "new", tensors);  // files that tensors are views of are replaced, not changed
      fs::rename(folder_.path() / "new", folder_.path() / file);
    }
    folder_.write("model.safetensors.index.json", index_.dump());
  }
  /// "where | what", without the folder.
  std::string error() const {
    try {
      read_weights(folder_.path());
    } catch (const InputError& e) {
      std::string text = e.where + " | " + e.what_is_wrong;
      const std::string folder = folder_.path().string() + "/";
      for (std::size_t at = 0; (at = text.find(folder)) != std::string::npos;) text.erase(at, folder.size());
      return text;
    }
    return "no error";
  }
  static constexpr const char *kA = "model-a.safetensors", *kB = "model-b.safetensors";
  static constexpr const char* kWeight = "model.layers.1.mlp.up_proj.weight";
  TemporaryFolder folder_;
  ModelConfig config_ = tiny_config();
  std::map<std::string, NamedTensors> shards_;
  nlohmann::json index_;
};

TEST_F(ShardsTest, AWeightInTwoShardsWithOtherNumbersIsRefusedBothFilesNamed) {
  shards_[kA][kWeight] = shards_[kB][kWeight] + 1;
  write();
  EXPECT_EQ(error(),
            "model-a.safetensors | " + std::string(kWeight) + ": has other numbers than in model-b.safetensors");
}

TEST_F(ShardsTest, AWeightInTwoShardsWithTheSameNumbersIsThatWeight) {
  shards_[kA][kWeight] = shards_[kB][kWeight].to(torch::kFloat64);
  write();
  EXPECT_EQ(error(), "no error");
  EXPECT_TRUE(torch::equal(read_weights(folder_.path())[kWeight], shards_[kB][kWeight]));
}

TEST_F(ShardsTest, IndexAndShardsThatDoNotBelongTogetherAreRefused) {
  index_["weight_map"][kWeight] = kA;
  write();
  EXPECT_EQ(error(), "model.safetensors.index.json | " + std::string(kWeight) +
                         ": should be in model-a.safetensors, which has none");
  index_["weight_map"].erase(kWeight);
  write();
  EXPECT_EQ(error(),
            "model-b.safetensors | " + std::string(kWeight) + ": is not listed in model.safetensors.index.json");
  index_["weight_map"][kWeight] = "model-c.safetensors";
  write();
  EXPECT_EQ(error(), "model.safetensors.index.json | weight_map: names 'model-c.safetensors', which is not there");
  index_["weight_map"][kWeight] = "../model-b.safetensors";
  write();
  EXPECT_EQ(error(), "model.safetensors.index.json | weight_map: '../model-b.safetensors' is not a file of its folder");
  const std::string name = "\"" + std::string(kWeight) + "\":";
  folder_.write("model.safetensors.index.json",
                "{\"weight_map\": {" + name + "\"" + kA + "\", " + name + "\"" + kB + "\"}}");
  EXPECT_EQ(error(), "model.safetensors.index.json | " + std::string(kWeight) + ": is said twice");
}

TEST_F(ShardsTest, ALeftoverFileOfWeightsIsRefusedUnlessItSaysTheSame) {
  NamedTensors whole;
  for (const auto& [file, tensors] : shards_) whole.insert(tensors.begin(), tensors.end());
  shards_["model.safetensors"] = whole;
  write();
  EXPECT_EQ(error(), "no error");
  shards_["model.safetensors"][kWeight] = whole[kWeight] * 2;
  write();
  EXPECT_EQ(error(), "model.safetensors | " + std::string(kWeight) + ": has other numbers than in model-b.safetensors");
  fs::remove(folder_.path() / "model.safetensors.index.json");
  EXPECT_EQ(error(), "model-b.safetensors | " + std::string(kWeight) + ": has other numbers than in model.safetensors");
}

TEST_F(ShardsTest, ShardsWithoutAnIndexAndOtherFormatsAreNamed) {
  fs::remove(folder_.path() / "model.safetensors.index.json");
  EXPECT_EQ(error(), "model.safetensors.index.json | no such file");
  fs::remove(folder_.path() / kA), fs::remove(folder_.path() / kB);
  EXPECT_EQ(error(), "model.safetensors | no such file");
  folder_.write("pytorch_model.bin", "zip");
  EXPECT_EQ(error(), "pytorch_model.bin | holds the weights in PyTorch's own format, which isn't read");
}

TEST_F(ShardsTest, NamesOfAWrappedModuleAreRecognised) {
  for (const std::string part : {"_orig_mod.", "module."})
    for (const std::string before : {"", "model.", "model.layers.0."}) {
      const NamedTensors named{{before + part + "norm.weight", torch::ones({8})}};
      write_safetensors(folder_.path() / "model.safetensors", named);
      EXPECT_EQ(error(), "model.safetensors | " + before + part + "norm.weight: has the part '" + part + "'");
    }
}

TEST(StoredWeights, GitLfsPointerIsNamed) {
  for (const char* file : {"model.safetensors", "model.safetensors.index.json"}) {
    const TemporaryFolder folder;
    folder.write(file, "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n");
    try {
      read_weights(folder.path());
      ADD_FAILURE() << file;
    } catch (const InputError& e) {
      EXPECT_EQ(e.where, (folder.path() / file).string());
      EXPECT_EQ(e.what_is_wrong, "is a Git LFS pointer, not the file itself");
      EXPECT_EQ(e.hint, "fetch it: git lfs pull, or download it again");
    }
  }
}

TEST(StoredWeights, SameNumbersWhateverTheDtype) {
  const torch::Tensor a = torch::randn({70, 3}).to(torch::kBFloat16), nan = torch::full({3}, NAN);
  EXPECT_TRUE(same_numbers(a, a.to(torch::kFloat32)));
  EXPECT_FALSE(same_numbers(a, a.to(torch::kFloat32) + 1e-3));
  EXPECT_FALSE(same_numbers(a, a.flatten()));
  EXPECT_TRUE(same_numbers(nan, nan.clone()));
  EXPECT_TRUE(same_numbers(torch::zeros({2}), -torch::zeros({2})));
}

}  // namespace
}  // namespace bench::model
