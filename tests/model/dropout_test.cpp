#include "model/dropout.h"

#include "model/loss.h"
#include "model/path.h"
#include "tests/kept_threads.h"
#include "tests/model/tiny.h"

#include <cmath>
#include <set>
#include <vector>

#include <gtest/gtest.h>
#include <torch/autograd.h>

namespace bench::model {
namespace {

const DropoutSite kSite{{.seed = 3, .step = 5, .first_sequence = 7}, 2};

class Dropout : public testing::TestWithParam<Path> {
 protected:
  const AssumedPath path_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Paths, Dropout, testing::Values(Path::kNative, Path::kPortable));

TEST_P(Dropout, KeepsTheRightShareAndTheGradientHasTheSameMask) {
  for (const std::int64_t n : {1, 63, 64, 65, 50001}) {
    const torch::Tensor x = torch::ones({2, n}).requires_grad_(), residual = torch::full({2, n}, 2.0f).requires_grad_();
    const torch::Tensor y = dropout_add(residual, x, 0.1, kSite);
    const auto gradients = torch::autograd::grad({y.sum()}, {residual, x});
    EXPECT_TRUE(torch::equal(gradients[0], torch::ones({2, n})));
    EXPECT_TRUE(torch::allclose(gradients[1], y.detach() - 2, 0, 1e-6)) << n;  // 0 or 1 / 0.9
    const torch::Tensor kept = gradients[1].gt(0).to(torch::kFloat64);
    EXPECT_LE(largest(gradients[1] - kept.to(torch::kFloat32) / 0.9f), 1e-6);
    if (n < 1000) continue;
    EXPECT_NEAR(kept.mean().item<double>(), 0.9, 5 * 0.3 / std::sqrt(2 * static_cast<double>(n)));
    EXPECT_FALSE(torch::equal(kept[0], kept[1]));  // each sequence has its own
  }
}

TEST_P(Dropout, OfASequenceDependsOnNeitherItsBatchNorTheThreads) {
  const KeptThreads kept;
  const torch::Tensor x = torch::ones({3, 20011});
  const torch::Tensor together = dropout(x, 0.5, kSite);
  for (const int threads : {1, 2, 3}) {
    at::set_num_threads(threads);
    for (std::int64_t i = 0; i < 3; ++i) {
      DropoutSite alone = kSite;
      alone.key.first_sequence += i;
      EXPECT_TRUE(torch::equal(together[i], dropout(x.narrow(0, i, 1), 0.5, alone)[0])) << threads << " " << i;
    }
  }
}

TEST_P(Dropout, ChangesNoGenerator) {
  const torch::Tensor before = at::detail::getDefaultCPUGenerator().get_state();
  dropout(torch::ones({2, 100}), 0.5, kSite);
  EXPECT_TRUE(torch::equal(before, at::detail::getDefaultCPUGenerator().get_state()));
}

TEST_P(Dropout, ModelsDropTheSameAtTheSamePlaceOfARun) {
  ModelConfig config = tiny_config();
  config.dropout = 0.3;
  config.attention_dropout = 0.2;
  LanguageModel model = tiny_model(config);
  const torch::Tensor ids = tiny_ids(4, 8);
  const torch::NoGradGuard no_grad;
  model->train();
  for (const bool fused : {true, false}) {
    model->set_all_fused(fused);
    model->set_dropout_key({1, 2, 0});
    const torch::Tensor whole = model(ids);
    model->set_dropout_key({1, 2, 3});
    EXPECT_LE(largest(whole[3] - model(ids.narrow(0, 3, 1))[0]), 1e-5);  // as another division of the step
    for (const DropoutKey& other : {DropoutKey{2, 2, 0}, DropoutKey{1, 3, 0}, DropoutKey{1, 2, 1}}) {
      model->set_dropout_key(other);
      EXPECT_GT(largest(whole - model(ids)), 1e-3);
    }
  }
}

TEST_P(Dropout, OfFusedAndPlainModelsIsTheSame) {
  ModelConfig config = tiny_config();
  config.dropout = 0.3;
  LanguageModel model = tiny_model(config);
  model->set_tiled_gradient(GetParam() == Path::kPortable);
  const torch::Tensor ids = tiny_ids(2, 16);
  model->train();
  std::vector<torch::Tensor> gradients[2];
  for (const bool fused : {false, true}) {
    model->set_all_fused(fused);
    model->zero_grad();
    mean_nll(model(ids), next_token_targets(ids)).backward();
    for (const auto& p : model->parameters()) gradients[fused].push_back(p.grad().clone());
  }
  for (std::size_t i = 0; i < gradients[0].size(); ++i)
    EXPECT_LE(largest(gradients[0][i] - gradients[1][i]), 1e-5) << i;
}

TEST(DropoutSite, SeedsDiffer) {
  std::set<std::uint64_t> seeds;
  for (std::uint64_t seed = 0; seed < 4; ++seed)
    for (std::int64_t step = 0; step < 8; ++step)
      for (std::int64_t sequence = 0; sequence < 8; ++sequence)
        for (std::int64_t number = 0; number < 8; ++number)
          seeds.insert(DropoutSite{{seed, step, 0}, number}.seed(sequence));
  EXPECT_EQ(seeds.size(), 4u * 8 * 8 * 8);
  EXPECT_EQ((DropoutSite{{1, 2, 3}, 4}.seed(5)), (DropoutSite{{1, 2, 8}, 4}.seed(0)));
}

}  // namespace
}  // namespace bench::model
