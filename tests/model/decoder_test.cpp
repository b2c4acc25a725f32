#include "model/decoder.h"

#include "model/error.h"
#include "model/fused/products.h"
#include "model/loss.h"
#include "tests/model/tiny.h"

#include <gtest/gtest.h>
#include <torch/autograd.h>

namespace bench::model {
namespace {

TEST(Attention, FusedEqualsPlainForEveryAlignmentForwardAndBackward) {
  for (const auto& [queries, keys, kv_heads] :
       std::vector<std::array<std::int64_t, 3>>{{7, 7, 2}, {1, 9, 2}, {3, 10, 4}, {1, 1, 1}, {16, 17, 4}}) {
    std::vector<torch::Tensor> inputs;
    for (const auto& [heads, tokens] :
         std::vector<std::pair<std::int64_t, std::int64_t>>{{4, queries}, {kv_heads, keys}, {kv_heads, keys}})
      inputs.push_back(torch::randn({2, heads, tokens, 8}).requires_grad_());
    const torch::Tensor fused = causal_attention(inputs[0], inputs[1], inputs[2]),
                        plain = causal_attention_plain(inputs[0], inputs[1], inputs[2]);
    EXPECT_LE(largest(fused - plain), 1e-5) << queries << " " << keys << " " << kv_heads;
    const torch::Tensor weight = torch::randn_like(plain);
    const auto of_fused = torch::autograd::grad({(fused * weight).sum()}, inputs),
               of_plain = torch::autograd::grad({(plain * weight).sum()}, inputs);
    for (std::size_t i = 0; i < inputs.size(); ++i) EXPECT_LE(largest(of_fused[i] - of_plain[i]), 1e-4) << i;
  }
}

TEST(Decoder, FusedEqualsPlain) {
  LanguageModel model = tiny_model();
  model->eval();
  const torch::NoGradGuard no_grad;
  const torch::Tensor fused = model(tiny_ids(2, 16));
  model->set_all_fused(false);
  const torch::Tensor plain = model(tiny_ids(2, 16));
  EXPECT_GT(largest(fused - plain), 0);  // else both took the same path
  EXPECT_LE(largest(fused - plain), 1e-4);
}

/// Gradients of 0.5 * loss by all parameters, and last the loss.
std::vector<torch::Tensor> gradients_of(LanguageModel& model, bool fused) {
  model->set_all_fused(fused);
  const torch::Tensor ids = tiny_ids(3, 23);
  for (auto& p : model->parameters()) p.mutable_grad() = torch::zeros_like(p);
  const torch::Tensor loss = model->loss_backward(ids, next_token_targets(ids), 0.5);
  std::vector<torch::Tensor> all;
  for (const auto& p : model->parameters()) all.push_back(p.grad());
  all.push_back(loss);
  return all;
}

void expect_fused_training_equals_plain(const ModelConfig& config, torch::Dtype compute, bool recompute) {
  LanguageModel model = tiny_model(config);
  const auto exact = gradients_of(model, /*fused=*/false);
  model->train();
  model->set_compute_dtype(compute);
  model->set_gradient_checkpointing(recompute);
  const auto fused = gradients_of(model, true), again = gradients_of(model, true);
  const auto plain = gradients_of(model, false);
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double size = largest(exact[i]);
    const double tolerance =
        compute == torch::kFloat32 ? 1e-5 * size : 1.5 * largest(plain[i] - exact[i]) + 0.01 * size;
    EXPECT_LE(largest(fused[i] - exact[i]), tolerance) << i << " of " << toString(compute);
    EXPECT_TRUE(torch::equal(fused[i], again[i])) << i;  // the same bits each time
  }
}

TEST(Decoder, FusedTrainingEqualsPlainTraining) {
  for (const bool tied : {true, false})
    for (const bool recompute : {false, true})
      for (const auto& [compute, products] : {std::pair{torch::kFloat32, false},
                                              {torch::kBFloat16, false},
                                              {torch::kBFloat16, true},
                                              {torch::kHalf, false}}) {
        const AssumedBf16Products assumed(products);
        ModelConfig config = tiny_config();
        config.tie_embeddings = tied;
        expect_fused_training_equals_plain(config, compute, recompute);
      }
}

TEST(Decoder, TiledAttentionWithoutKernelsTrainsTheSame) {
  LanguageModel model = tiny_model();
  const auto plain = gradients_of(model, false);
  model->set_compute_dtype(torch::kHalf);  // no kernels for fp16
  model->set_tiled_gradient(true);
  const auto tiled = gradients_of(model, true);
  for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_LE(largest(tiled[i] - plain[i]), 0.02 * largest(plain[i])) << i;
}

TEST(Decoder, TrainingComputesTheSameWithAndWithoutGradients) {
  LanguageModel model = tiny_model();
  model->train();
  model->set_compute_dtype(torch::kHalf);  // as on a device without kernels
  model->set_tiled_gradient(true);
  const torch::Tensor ids = tiny_ids(2, 40), with = model(ids);
  const torch::NoGradGuard no_grad;  // as in the first pass of gradient checkpointing
  EXPECT_TRUE(torch::equal(model(ids), with));
}

TEST(Decoder, PositionsSeeOnlyTheirPast) {
  LanguageModel model = tiny_model();
  model->eval();
  const torch::NoGradGuard no_grad;
  const torch::Tensor ids = tiny_ids(1, 20);
  torch::Tensor changed = ids.clone();
  changed.index_put_({0, 12}, (ids[0][12].item<std::int64_t>() + 1) % 96);
  const torch::Tensor a = model(ids), b = model(changed);
  EXPECT_EQ(largest(a.slice(1, 0, 12) - b.slice(1, 0, 12)), 0);
  EXPECT_GT(largest(a.slice(1, 12) - b.slice(1, 12)), 1e-3);
}

TEST(Decoder, BatchEqualsSingles) {
  LanguageModel model = tiny_model();
  model->eval();
  const torch::NoGradGuard no_grad;
  const torch::Tensor ids = tiny_ids(3, 11);
  const torch::Tensor together = model(ids);
  for (std::int64_t row = 0; row < 3; ++row) EXPECT_LE(largest(together[row] - model(ids.narrow(0, row, 1))[0]), 1e-5);
}

TEST(Decoder, ParametersAreThoseCounted) {
  for (const bool tied : {true, false}) {
    ModelConfig config = tiny_config();
    config.tie_embeddings = tied;
    std::int64_t count = 0;
    for (const auto& parameter : LanguageModel(config)->parameters()) count += parameter.numel();
    EXPECT_EQ(count, parameter_count(config));
  }
}

TEST(Decoder, SeedsMakeWeightsWhateverTheDtypeOfTheModel) {
  const ModelConfig config = tiny_config();
  LanguageModel a(config), b(config), c(config, torch::kBFloat16);
  init_weights(a, 3), init_weights(b, 3), init_weights(c, 3);
  for (std::size_t i = 0; i < a->parameters().size(); ++i) {
    EXPECT_TRUE(torch::equal(a->parameters()[i], b->parameters()[i]));
    EXPECT_TRUE(torch::equal(a->parameters()[i].to(torch::kBFloat16), c->parameters()[i]));
  }
}

TEST(Decoder, DropoutActsInTrainingOnlyAndKeepsTheMean) {
  ModelConfig config = tiny_config();
  config.dropout = 0.3;
  LanguageModel model = tiny_model(config);
  const torch::NoGradGuard no_grad;
  const torch::Tensor ids = tiny_ids(1, 8);
  model->eval();
  EXPECT_EQ(largest(model(ids) - model(ids)), 0);
  model->train();
  const torch::Tensor first = model(ids);
  EXPECT_EQ(largest(first - model(ids)), 0);  // at the same place of a run
  model->set_dropout_key({.step = 1});
  EXPECT_GT(largest(first - model(ids)), 1e-3);
}

TEST(Decoder, RecomputingGivesTheSameLossAndGradientsWithDropoutToo) {
  ModelConfig config = tiny_config();
  config.dropout = 0.2;
  LanguageModel model = tiny_model(config);
  const torch::Tensor ids = tiny_ids(2, 16);
  std::vector<torch::Tensor> kept;
  double loss_kept = 0;
  for (const bool recompute : {false, true}) {
    model->train();
    model->set_gradient_checkpointing(recompute);
    model->zero_grad();
    const torch::Tensor loss = mean_nll(model(ids), next_token_targets(ids));
    loss.backward();
    if (!recompute) {
      loss_kept = loss.item<double>();
      for (const auto& p : model->parameters()) kept.push_back(p.grad().clone());
      continue;
    }
    EXPECT_EQ(loss.item<double>(), loss_kept);
    for (std::size_t i = 0; i < kept.size(); ++i)
      EXPECT_TRUE(torch::equal(kept[i], model->parameters()[i].grad())) << i;
  }
}

TEST(Decoder, Bf16ComputingIsCloseToFp32AndItsGradientsAreFp32) {
  LanguageModel model = tiny_model();
  const torch::Tensor ids = tiny_ids(2, 16);
  const double fp32 = mean_nll(model(ids), next_token_targets(ids)).item<double>();
  model->set_compute_dtype(torch::kBFloat16);
  const torch::Tensor loss = mean_nll(model(ids), next_token_targets(ids));
  EXPECT_NEAR(loss.item<double>(), fp32, 0.02 * fp32);
  loss.backward();
  for (const auto& p : model->parameters()) EXPECT_EQ(p.grad().scalar_type(), torch::kFloat32);
}

TEST(Decoder, TooLongSequencesAreErrors) {
  LanguageModel model = tiny_model();
  EXPECT_THROW(model(tiny_ids(1, 65)), InputError);
  KvCache cache = model->make_cache(1, 65);
  const torch::NoGradGuard no_grad;
  model->next_logits(tiny_ids(1, 64), cache);
  EXPECT_THROW(model->next_logits(tiny_ids(1, 1), cache), InputError);
}

}  // namespace
}  // namespace bench::model
