// The model against an independent implementation: tests/golden, made by scripts/make_golden.py with Transformers.
// Tolerances are those of the issue, 1e-5 relative to the largest value at hand; Adam divides tiny gradients by their
// own size, so parameters after ten steps get 1e-4 (tests/golden/README.md has fp32's own distance from fp64).
#include "tests/model/golden.h"

#include "model/generate.h"
#include "model/loss.h"
#include "model/sampler.h"

#include <gtest/gtest.h>

namespace bench::model {
namespace {

class GoldenModel : public testing::TestWithParam<const char*> {
 protected:
  Golden golden_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Variants, GoldenModel, testing::Values("tied_fp32", "untied_bf16"));

TEST_P(GoldenModel, Logits) {
  LanguageModel model = golden_.load();
  const torch::NoGradGuard no_grad;
  const torch::Tensor expected = golden_.tensors.at("logits");
  const torch::Tensor logits = model(golden_.tensors.at("input_ids")).narrow(0, 0, expected.size(0));
  EXPECT_LE((logits - expected).abs().max().item<double>(), 1e-5 * expected.abs().max().item<double>());
}

TEST_P(GoldenModel, LossAndEveryGradient) {
  LanguageModel model = golden_.load();
  const torch::Tensor ids = golden_.tensors.at("input_ids");
  const torch::Tensor loss = mean_nll(model(ids), next_token_targets(ids));
  EXPECT_NEAR(loss.item<double>(), golden_.json["loss"].get<double>(), 1e-5);
  loss.backward();
  for (const auto& parameter : model->named_parameters()) {
    const torch::Tensor gradient = parameter->grad();
    EXPECT_LE(golden_.difference("grad." + parameter.key(), gradient),
              1e-5 * gradient.abs().max().item<double>() + 1e-7)
        << parameter.key();
    EXPECT_NEAR(gradient.norm().item<double>(), golden_.json["grad_digest"][parameter.key()]["l2"].get<double>(), 1e-5)
        << parameter.key();
  }
}

TEST_P(GoldenModel, GreedyTokensWithAndWithoutCache) {
  LanguageModel model = golden_.load();
  SamplingConfig greedy;
  greedy.do_sample = false;
  greedy.repetition_penalty = 1;
  const auto prompt = golden_.json["greedy"]["prompt"].get<std::vector<std::int64_t>>();
  const auto expected = golden_.json["greedy"]["new_tokens"].get<std::vector<std::int64_t>>();
  for (const bool use_cache : {true, false}) {
    const auto tokens =
        generate(model, {prompt, prompt}, greedy, {.max_new_tokens = 32, .stop_at_eos = false, .use_cache = use_cache});
    EXPECT_EQ(tokens[0], expected) << use_cache;
    EXPECT_EQ(tokens[1], expected) << use_cache;
  }
}

TEST(GoldenSampling, ProcessorsOneAfterAnother) {
  const std::string folder = std::string(BENCH_SOURCE_DIR) + "/tests/golden/";
  const NamedTensors golden = read_safetensors(folder + "sampling.safetensors");
  const auto json = nlohmann::json::parse(std::ifstream(folder + "sampling.json"));
  const auto equal = [](const torch::Tensor& a, const torch::Tensor& b) {
    return torch::equal(a.isinf(), b.isinf()) && (a - b).nan_to_num(0).abs().max().item<double>() <= 1e-5;
  };
  for (const std::string row : {"random", "model"}) {
    const auto history = json["rows"][row]["history"].get<std::vector<std::int64_t>>();
    torch::Tensor logits = penalise_repetition(golden.at(row + ".logits"), history, 1.1);
    EXPECT_TRUE(equal(logits, golden.at(row + ".after_RepetitionPenaltyLogitsProcessor"))) << row;
    logits = logits / 0.8;
    EXPECT_TRUE(equal(logits, golden.at(row + ".after_TemperatureLogitsWarper"))) << row;
    logits = keep_top_k(logits, 50);
    EXPECT_TRUE(equal(logits, golden.at(row + ".after_TopKLogitsWarper"))) << row;
    logits = keep_top_p(logits, 0.95);
    EXPECT_TRUE(equal(logits, golden.at(row + ".after_TopPLogitsWarper"))) << row;
    EXPECT_LE((torch::softmax(logits, -1) - golden.at(row + ".prob")).abs().max().item<double>(), 1e-6) << row;
  }
}

}  // namespace
}  // namespace bench::model
