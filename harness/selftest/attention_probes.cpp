#include "harness/selftest/attention_formula.h"
#include "harness/selftest/comparison.h"
#include "harness/selftest/probes.h"
#include "harness/selftest/small_model.h"
#include "model/attention.h"
#include "model/fused/attention.h"
#include "model/fused/rows.h"

#include <fmt/format.h>

namespace bench::harness {
namespace {

constexpr torch::Dtype kDtypes[] = {torch::kFloat32, torch::kBFloat16};
constexpr std::int64_t kHeads = 4, kGroups = 2, kHeadDim = 64;

/// An attention that rotates and is tiled, and the inputs to compare it with: q [1, T, H * D], k and v [1, T, G * D].
struct Tiles {
  // More than one tile of LibTorch's operators (tiled_query_block()) and of our kernels; the last is not whole.
  static constexpr std::int64_t kLength = 700;

  explicit Tiles(torch::Dtype dtype_) : dtype(dtype_) {
    TORCH_CHECK(model::tiled_query_block(1, kHeads, kLength) < kLength, kLength, " tokens are in one tile");
    q = normal_numbers({1, kLength, kHeads * kHeadDim}, 1, dtype);
    k = normal_numbers({1, kLength, kGroups * kHeadDim}, 2, dtype);
    v = normal_numbers({1, kLength, kGroups * kHeadDim}, 3, dtype);
    g = normal_numbers(q.sizes(), 4, dtype);
  }

  /// The values, and the gradients by q, k and v when the gradient of the values is g.
  template <class Attend>
  std::vector<torch::Tensor> results(const Attend& attend, const std::vector<torch::Tensor>& inputs,
                                     const torch::Tensor& gradient) const {
    std::vector<torch::Tensor> leaves;
    for (const auto& x : inputs) leaves.push_back(x.detach().requires_grad_());
    const torch::Tensor y = attend(leaves[0], leaves[1], leaves[2]);
    y.backward(gradient);
    return {y, leaves[0].grad(), leaves[1].grad(), leaves[2].grad()};
  }

  std::vector<torch::Tensor> expected() const {
    const torch::Tensor cos = exact(rope->cos(kLength)), sin = exact(rope->sin(kLength));
    const auto split = [](const torch::Tensor& x) { return x.view({1, kLength, -1, kHeadDim}).transpose(1, 2); };
    const auto attend = [&](const torch::Tensor& a, const torch::Tensor& b, const torch::Tensor& c) {
      return attention_formula(rotation_formula(split(a), cos, sin), rotation_formula(split(b), cos, sin), split(c))
          .transpose(1, 2)
          .reshape({1, kLength, kHeads * kHeadDim});
    };
    return results(attend, {exact(q), exact(k), exact(v)}, exact(g));
  }

  template <class Tiled>
  void compare(const Device& device, const Tiled& tiled, const std::string& which, Worst& worst) const {
    const auto there = [&](const torch::Tensor& x) { return x.to(device.torch_device()); };
    const torch::Tensor cos = there(rope->cos(kLength)), sin = there(rope->sin(kLength));
    const auto attend = [&](const torch::Tensor& a, const torch::Tensor& b, const torch::Tensor& c) {
      return tiled(a, b, c, cos, sin, kHeadDim);
    };
    const auto found = results(attend, {there(q), there(k), there(v)}, there(g));
    const auto right = expected();
    const char* const what[] = {"values", "gradient of q", "gradient of k", "gradient of v"};
    for (std::size_t i = 0; i < right.size(); ++i)
      worst.compare(found[i], right[i], dtype, fmt::format("{} of {}, {}", what[i], which, short_name(dtype)));
  }

  torch::Dtype dtype;
  torch::Tensor q, k, v, g;
  model::Rope rope{kHeadDim, kLength, 10000.0};
};

/// causal_attention, whole sequences, by inputs that require gradients and by others.
void attention_both_ways(const Device& device, torch::Dtype dtype, Worst& worst) {
  constexpr std::int64_t kTokens = 160;
  const auto attend = [&](bool gradient) {
    const auto there = [&](std::int64_t heads, std::uint64_t seed) {
      return normal_numbers({1, heads, kTokens, kHeadDim}, seed, dtype)
          .to(device.torch_device())
          .detach()
          .requires_grad_(gradient);
    };
    return model::causal_attention(there(kHeads, 1), there(kGroups, 2), there(kGroups, 3));
  };
  const torch::Tensor with = attend(true);
  const torch::NoGradGuard no_grad;
  worst.compare(attend(false), with, dtype, fmt::format("attention of {} tokens, {}", kTokens, short_name(dtype)));
}

/// The model's logits: training with and without gradients, and evaluating.
void model_both_ways(const Device& device, torch::Dtype dtype, Worst& worst) {
  model::LanguageModel model = small_model(device);
  model->set_compute_dtype(dtype);
  const torch::Tensor ids = token_row("prompt", 160, 0, model->config().vocab_size).to(device.torch_device());
  model->train();
  const torch::Tensor with = model->forward(ids);
  const double tolerance = 5 * tolerated_share(dtype) * largest(with);  // each layer adds roundings to those before
  const auto compare = [&](const char* what) {
    worst.add(distance(model->forward(ids), with), tolerance, fmt::format("logits {}, {}", what, short_name(dtype)));
  };
  const torch::NoGradGuard no_grad;
  compare("in training, with and without gradients");
  model->eval();
  compare("in training and in inference");
}

}  // namespace

Finding probe_tiled_attention(const Device& device) {
  Worst worst;
  for (const torch::Dtype dtype : kDtypes) {
    const Tiles tiles(dtype);
    tiles.compare(device, model::tiled_attention_plain, "the tiles of LibTorch's operators", worst);
    if (model::has_kernels(tiles.q.to(device.torch_device())))
      tiles.compare(device, model::tiled_attention, "the tiles of our kernels", worst);
  }
  return worst.finding();
}

Finding probe_with_and_without_gradients(const Device& device) {
  Worst worst;
  for (const torch::Dtype dtype : kDtypes) {
    attention_both_ways(device, dtype, worst);
    model_both_ways(device, dtype, worst);
  }
  return worst.finding();
}

Finding probe_grouped_queries(const Device& device) {
  const torch::NoGradGuard no_grad;
  Worst worst;
  for (const torch::Dtype dtype : kDtypes)
    for (const std::int64_t head_dim : {64, 128})
      for (const std::int64_t keys : {1023, 1024, 1025})
        for (const std::int64_t queries : {1, 8, 9}) {
          const torch::Tensor q = normal_numbers({1, kHeads, queries, head_dim}, 1, dtype);
          // Large keys: some positions then have most of the weight, and one that is left out shows.
          const torch::Tensor k = normal_numbers({1, kGroups, keys, head_dim}, 2, dtype) * 2;
          const torch::Tensor v = normal_numbers({1, kGroups, keys, head_dim}, 3, dtype);
          const auto there = [&](const torch::Tensor& x) { return x.to(device.torch_device()); };
          worst.compare(
              model::causal_attention(there(q), there(k), there(v)), attention_formula(q, k, v), dtype,
              fmt::format("{} queries, {} keys, heads of {}, {}", queries, keys, head_dim, short_name(dtype)));
        }
  return worst.finding();
}

}  // namespace bench::harness
