#include "harness/selftest/comparison.h"
#include "harness/selftest/golden.h"
#include "harness/selftest/probes.h"
#include "harness/selftest/small_model.h"
#include "harness/training/optimizer.h"
#include "model/generate.h"

#include <algorithm>

#include <fmt/format.h>

namespace bench::harness {
namespace {

/// Runs forward and backward on rows [B, T + 1] of tokens. Returns the loss; the parameters' gradients are new ones.
double loss_and_gradients(const Device& device, model::LanguageModel& model, const torch::Tensor& rows) {
  for (auto& parameter : model->parameters()) parameter.mutable_grad() = torch::zeros_like(parameter);
  const torch::Tensor ids = rows.to(device.torch_device());
  return model->loss_backward(ids.slice(1, 0, -1), ids.slice(1, 1), 1).item<double>();
}

struct Pass {
  double loss;
  std::vector<torch::Tensor> gradients;
};

/// A pass of the small model in training, with dropout: the same key always drops the same elements.
Pass dropout_pass(const Device& device, bool recompute, std::uint64_t seed) {
  model::ModelConfig config = small_config();
  config.dropout = 0.1;
  model::LanguageModel model = small_model(device, config);
  model->train();
  model->set_gradient_checkpointing(recompute);
  model->set_dropout_key({.seed = seed, .step = 3});
  const torch::Tensor rows =
      torch::cat({token_row("dropped 0", 41, 0, config.vocab_size), token_row("dropped 1", 41, 0, config.vocab_size)});
  Pass pass{loss_and_gradients(device, model, rows), {}};
  for (const auto& parameter : model->parameters()) pass.gradients.push_back(parameter.grad());
  return pass;
}

double furthest(const Pass& a, const Pass& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.gradients.size(); ++i) {
    const double share = distance(a.gradients[i], b.gradients[i]) / largest(a.gradients[i]);
    if (!(share <= most)) most = share;  // NaN stays
    if (std::isnan(most)) break;
  }
  return most;
}

torch::Tensor golden_rows(std::int64_t vocabulary) {
  std::vector<torch::Tensor> rows;
  for (int i = 0; i < golden::kSequences; ++i)
    rows.push_back(token_row(fmt::format("sequence {}", i), golden::kTokens + 1, 0, vocabulary));
  return torch::cat(rows);
}

}  // namespace

Finding probe_recomputed_dropout(const Device& device) {
  const Pass kept = dropout_pass(device, false, 1), recomputed = dropout_pass(device, true, 1);
  const Pass other = dropout_pass(device, true, 2);
  Worst worst;
  worst.add(furthest(kept, recomputed), tolerated_share(torch::kFloat32),
            "gradients with and without recomputation, as a share of the largest");
  // Masks that are all the same, or drop nothing, would agree as well.
  if (furthest(recomputed, other) < 0.01) worst.add(1, 0, "other seeds drop the same elements, or nothing is dropped");
  return worst.finding();
}

Finding probe_training_step(const Device& device) {
  model::LanguageModel model = small_model(device);
  model->train();
  const torch::Tensor rows = golden_rows(model->config().vocab_size);
  OptimizerConfig config;
  config.betas = {golden::kBetas[0], golden::kBetas[1]};
  config.eps = golden::kEps;
  AdamW optimizer(*model, config, golden::kWeightDecay, /*fused=*/true);
  const double loss = loss_and_gradients(device, model, rows);
  const Clipping clipping = clip_factor(gradient_norm(*model).item<double>(), golden::kMaxNorm);
  optimizer.step(golden::kLearningRate, clipping.factor);
  const double after = loss_and_gradients(device, model, rows);
  Worst worst;
  const auto compare = [&](double found, double expected, const char* what) {
    worst.add(std::abs(found - expected), tolerated_share(torch::kFloat32) * expected,
              fmt::format("{}: {:.6f} instead of {:.6f}", what, found, expected));
  };
  compare(loss, golden::kLoss, "loss");
  compare(clipping.norm, golden::kGradientNorm, "norm of the gradients");
  compare(after, golden::kLossAfter, "loss after a step");
  return worst.finding();
}

Finding probe_greedy_tokens(const Device& device) {
  model::LanguageModel model = small_model(device);
  std::vector<std::int64_t> prompt;
  for (std::uint64_t i = 0; i < golden::kPrompt; ++i)
    prompt.push_back(token_of("greedy prompt", i, 0, model->config().vocab_size));
  model::SamplingConfig greedy;
  greedy.do_sample = false;
  greedy.repetition_penalty = 1;
  const std::vector<std::int64_t> expected(std::begin(golden::kNewTokens), std::end(golden::kNewTokens));
  const auto count = static_cast<std::int64_t>(expected.size());
  const auto found = model::generate(model, {prompt}, greedy, {.max_new_tokens = count, .stop_at_eos = false}).front();
  const auto first = std::ranges::mismatch(expected, found).in1 - expected.begin();
  Worst worst;
  worst.add(static_cast<double>(count - first), 0,
            first == count ? fmt::format("all {} tokens agree", count)
                           : fmt::format("tokens from the first wrong one on: token {} of {} is {} instead of {}",
                                         first + 1, count, found[static_cast<std::size_t>(first)],
                                         expected[static_cast<std::size_t>(first)]));
  return worst.finding();
}

}  // namespace bench::harness
