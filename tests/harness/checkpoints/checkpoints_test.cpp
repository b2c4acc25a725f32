#include "harness/checkpoints/checkpoints.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "model/checkpoint.h"
#include "tests/model/tiny.h"
#include "tests/temporary_folder.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace bench::harness {
namespace {

namespace fs = std::filesystem;

/// A checkpoint as write_checkpoint makes it, without tokenizer and training state.
class CheckpointsTest : public testing::Test {
 protected:
  CheckpointsTest() : checkpoint_(folder_.path() / "final"), list_(checkpoint_ / kChecksumsFile) {
    write_checkpoint(model::tiny_model(), checkpoint_, torch::kFloat32, /*tokenizer=*/nullptr);
    good_ = read_file(list_);
  }
  std::string error() const {
    try {
      open_checkpoint(checkpoint_, torch::kFloat32, torch::kCPU);
    } catch (const Error& e) {
      return fs::path(e.where()).filename().string() + ": " + e.message();
    }
    return "no error";
  }
  std::string with_list(const std::string& content) {
    write_file_atomically(list_, content);
    return error();
  }
  void write(const std::string& name, const std::string& content) {
    write_file_atomically(checkpoint_ / name, content);
  }
  tests::TemporaryFolder folder_;
  fs::path checkpoint_, list_;
  std::string good_;
};

TEST_F(CheckpointsTest, AMissingOrShortListIsDamage) {
  EXPECT_EQ(error(), "no error");
  EXPECT_EQ(with_list("").rfind("checksums.xxh128: does not list ", 0), 0u);
  std::istringstream lines(good_);
  for (std::string line; std::getline(lines, line);) {
    std::string shorter = good_;
    shorter.erase(shorter.find(line), line.size() + 1);
    EXPECT_EQ(with_list(shorter),
              "checksums.xxh128: does not list " + line.substr(line.find("  ") + 2) + ", which stands beside it");
  }
  fs::remove(list_);
  EXPECT_EQ(error(), "checksums.xxh128: is missing: a checkpoint of bench has one");
}

TEST_F(CheckpointsTest, AnUnlistedFileThatDecidesIsDamageAndAReadmeIsNone) {
  write("README.md", "mine");
  write("model.gguf", "a conversion");
  EXPECT_EQ(error(), "no error");
  for (const char* name : {"generation_config.json", "tokenizer_config.json", "tokenizer.model", "training_state.json",
                           "model-2.safetensors", "model.safetensors.index.json"}) {
    write(name, "{}");
    EXPECT_EQ(error(), "checksums.xxh128: does not list " + std::string(name) + ", which stands beside it");
    fs::remove(checkpoint_ / name);
  }
}

TEST_F(CheckpointsTest, AForeignListIsDamage) {
  const tests::TemporaryFolder other;
  write_checkpoint(model::tiny_model(), other.path() / "final", torch::kBFloat16, nullptr);
  EXPECT_NE(with_list(read_file(other.path() / "final" / kChecksumsFile)).find("is damaged"), std::string::npos);
  EXPECT_NE(with_list(good_ + std::string(32, '0') + "  other.bin\n").find("other.bin: is missing"), std::string::npos);
  EXPECT_NE(with_list(good_ + good_).find("twice"), std::string::npos);
}

TEST_F(CheckpointsTest, ListsNameOnlyFilesOfTheirFolder) {
  folder_.write("secret", "outside");
  const std::string hash = xxh128("outside");
  for (const std::string& name : {std::string("../secret"), (folder_.path() / "secret").string(),
                                  std::string("./config.json"), std::string(".."), std::string("sub/x"), std::string()})
    EXPECT_EQ(with_list(good_ + hash + "  " + name + "\n"),
              "checksums.xxh128: \"" + name + "\" is not the name of a file in its folder");
}

TEST_F(CheckpointsTest, AFolderOfAnotherProgramNeedsNoList) {
  fs::remove(list_);
  const std::string ours = read_file(checkpoint_ / "config.json");
  nlohmann::json config = nlohmann::json::parse(ours);
  config["transformers_version"] = "5.0";  // which kept the keys that it doesn't know
  write("config.json", config.dump());
  EXPECT_EQ(error(), "no error");
  config.erase("transformers_version");
  config.erase("checksums");
  write("config.json", config.dump());
  EXPECT_EQ(error(), "no error");
  write("training_state.json", "{}");  // only ours has one, also from before config.json named the list
  EXPECT_EQ(error(), "checksums.xxh128: is missing: a checkpoint of bench has one");
}

}  // namespace
}  // namespace bench::harness
