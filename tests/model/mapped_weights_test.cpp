// Loading maps: a weight that needs no conversion is pages of the file, and nothing is copied. Seen by changing the
// file under a loaded model: pages that nobody has written to show it, a copy would not.
#include "model/checkpoint.h"
#include "model/safetensors.h"
#include "tests/model/tiny.h"
#include "tests/temporary_folder.h"

#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace bench::model {
namespace {

using tests::TemporaryFolder;

/// Writes over the last bytes of the file in its place, those of the last tensor.
void set_numbers_in_place(const std::filesystem::path& file, const torch::Tensor& numbers) {
  std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
  out.seekp(-static_cast<std::streamoff>(numbers.nbytes()), std::ios::end);
  out.write(static_cast<const char*>(numbers.const_data_ptr()), static_cast<std::streamsize>(numbers.nbytes()));
}

/// All numbers of a checkpoint of tiny_model, as one array in the order of the file.
torch::Tensor all_weights(LanguageModel& model) {
  std::map<std::string, torch::Tensor> ordered;  // the file's order is that of the names
  for (const auto& p : model->named_parameters()) ordered[p.key()] = p.value().detach().reshape({-1});
  std::vector<torch::Tensor> pieces;
  for (const auto& [name, values] : ordered) pieces.push_back(values);
  return torch::cat(pieces);
}

TEST(MappedWeights, OfTheFilesDtypeAreItsPagesAndOthersAreNot) {
  for (const bool tied : {true, false})
    for (const auto stored : {torch::kFloat32, torch::kBFloat16})
      for (const auto wanted : {torch::kFloat32, torch::kBFloat16}) {
        SCOPED_TRACE(fmt::format("{} as {}", toString(stored), toString(wanted)));
        const TemporaryFolder folder;
        ModelConfig config = tiny_config();
        config.tie_embeddings = tied;
        save_checkpoint(tiny_model(config), folder.path(), stored);
        LanguageModel model = load_checkpoint(folder.path(), wanted, torch::kCPU);
        const torch::Tensor before = all_weights(model), other = torch::randn_like(before);
        EXPECT_EQ(before.scalar_type(), wanted);
        set_numbers_in_place(folder.path() / "model.safetensors", other.to(stored));
        EXPECT_TRUE(torch::equal(all_weights(model), stored == wanted ? other : before));
      }
}

TEST(MappedWeights, QuantisingLetsGoOfThePages) {
  const TemporaryFolder folder;
  ModelConfig config = tiny_config();
  config.tie_embeddings = false;
  save_checkpoint(tiny_model(config), folder.path(), torch::kBFloat16);
  LanguageModel model = load_checkpoint(folder.path(), torch::kBFloat16, torch::kCPU);
  std::map<std::string, c10::weak_intrusive_ptr<c10::StorageImpl>> pages;
  for (const auto& p : model->named_parameters()) pages.emplace(p.key(), p.value().storage().getWeakStorageImpl());
  model->quantize(Quantization::kInt8);
  for (const auto& [name, page] : pages) {
    const bool matrix = name.find("_proj") != std::string::npos || name == "lm_head.weight";
    EXPECT_EQ(page.expired(), matrix) << name;
  }
}

TEST(MappedWeights, WritingToThemChangesNoFile) {
  const TemporaryFolder folder;
  save_checkpoint(tiny_model(), folder.path(), torch::kFloat32);
  LanguageModel model = load_checkpoint(folder.path(), torch::kFloat32, torch::kCPU);
  const torch::Tensor before = all_weights(model);
  {
    const torch::NoGradGuard no_grad;
    for (auto& p : model->parameters()) p.fill_(7);
  }
  LanguageModel again = load_checkpoint(folder.path(), torch::kFloat32, torch::kCPU);
  EXPECT_TRUE(torch::equal(all_weights(again), before));
}

}  // namespace
}  // namespace bench::model
