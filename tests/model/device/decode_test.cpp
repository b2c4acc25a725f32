#include "model/device/decode.h"

#include "model/generate.h"
#include "model/path.h"
#include "tests/model/tiny.h"

#include <gtest/gtest.h>

namespace bench::model {
namespace {

/// Logits behind a prompt and behind each of the tokens after it.
std::vector<torch::Tensor> logits_of(LanguageModel& model, const torch::Tensor& ids, std::int64_t prompt) {
  const torch::NoGradGuard no_grad;
  model->eval();
  KvCache cache = model->make_cache(ids.size(0), ids.size(1));
  std::vector<torch::Tensor> logits{model->next_logits(ids.narrow(1, 0, prompt), cache)};
  for (std::int64_t i = prompt; i < ids.size(1); ++i) logits.push_back(model->next_logits(ids.narrow(1, i, 1), cache));
  return logits;
}

class DeviceDecode : public testing::TestWithParam<torch::Dtype> {
 protected:
  const AssumedPath path_{Path::kPortable};
  /// A rounding of the dtype, relative to logits of about 10.
  double tolerance() const { return GetParam() == torch::kFloat32 ? 1e-4 : GetParam() == torch::kHalf ? 0.05 : 0.4; }
};
INSTANTIATE_TEST_SUITE_P(Dtypes, DeviceDecode, testing::Values(torch::kFloat32, torch::kHalf, torch::kBFloat16));

TEST_P(DeviceDecode, GivesTheLogitsOfThePlainFormulas) {
  LanguageModel exact = tiny_model(), model = tiny_model(tiny_config(), GetParam());
  exact->set_all_fused(false);
  const torch::Tensor ids = tiny_ids(2, 20);
  for (const std::int64_t prompt : {1, 9}) {
    const auto expected = logits_of(exact, ids, prompt), found = logits_of(model, ids, prompt);
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_LE(largest(found[i].to(torch::kFloat32) - expected[i]), tolerance()) << prompt << " " << i;
  }
}

TEST_P(DeviceDecode, SeesPromptsInPiecesAsOne) {
  LanguageModel model = tiny_model(tiny_config(), GetParam());
  const torch::NoGradGuard no_grad;
  const torch::Tensor ids = tiny_ids(2, 12);
  model->eval();
  KvCache whole = model->make_cache(2, 12), pieces = model->make_cache(2, 12);
  const torch::Tensor expected = model->next_logits(ids, whole);
  model->next_logits(ids.narrow(1, 0, 5), pieces);
  EXPECT_LE(largest(model->next_logits(ids.narrow(1, 5, 7), pieces) - expected), tolerance());
}

TEST_P(DeviceDecode, ReadsInt8) {
  LanguageModel exact = tiny_model(), model = tiny_model(tiny_config(), GetParam());
  model->quantize(Quantization::kInt8);
  const torch::Tensor ids = tiny_ids(1, 12);
  const auto expected = logits_of(exact, ids, 5), found = logits_of(model, ids, 5);
  for (std::size_t i = 0; i < expected.size(); ++i)
    EXPECT_LE(largest(found[i].to(torch::kFloat32) - expected[i]), 0.3 + tolerance()) << i;
}

TEST_P(DeviceDecode, ReadsWeightsThatWereReplacedOrChanged) {
  LanguageModel model = tiny_model(tiny_config(), GetParam()), other = tiny_model(tiny_config(), GetParam());
  const torch::Tensor ids = tiny_ids(1, 6);
  logits_of(model, ids, 3);  // joins the matrices
  const torch::NoGradGuard no_grad;
  for (const bool replaced : {true, false}) {
    for (auto& parameter : other->parameters()) parameter.mul_(0.9);
    const auto from = other->parameters();
    auto to = model->parameters();
    for (std::size_t i = 0; i < to.size(); ++i) {
      if (replaced)
        to[i].set_data(from[i].clone());
      else
        to[i].copy_(from[i]);
    }
    const auto expected = logits_of(other, ids, 3), found = logits_of(model, ids, 3);
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_TRUE(torch::equal(found[i], expected[i])) << replaced;
  }
}

TEST_P(DeviceDecode, KeepsParametersTrainableAndTheirValues) {
  LanguageModel model = tiny_model(tiny_config(), GetParam()), untouched = tiny_model(tiny_config(), GetParam());
  logits_of(model, tiny_ids(1, 6), 3);
  const auto now = model->named_parameters(), before = untouched->named_parameters();
  for (const auto& item : before) {
    EXPECT_TRUE(torch::equal(*now.find(item.key()), item.value())) << item.key();
    EXPECT_TRUE(now.find(item.key())->requires_grad() && now.find(item.key())->is_leaf()) << item.key();
  }
  EXPECT_EQ(model->weight_bytes(), untouched->weight_bytes());
}

TEST(DeviceDecodeShapes, SequencesOfOtherLengthsGetWhatTheyGetAlone) {
  const AssumedPath path(Path::kPortable);
  LanguageModel model = tiny_model();
  const SamplingConfig greedy{.do_sample = false, .repetition_penalty = 1};
  const GenerateOptions options{.max_new_tokens = 8, .stop_at_eos = false};
  const std::vector<std::vector<std::int64_t>> prompts{{5, 6, 7}, {1}, {2, 3, 4, 5, 6}};
  const auto together = generate(model, prompts, greedy, options);
  for (std::size_t i = 0; i < prompts.size(); ++i)
    EXPECT_EQ(together[i], generate(model, {prompts[i]}, greedy, options)[0]) << i;
}

}  // namespace
}  // namespace bench::model
