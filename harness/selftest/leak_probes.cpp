#include "harness/selftest/comparison.h"
#include "harness/selftest/probes.h"
#include "harness/selftest/small_model.h"
#include "model/attention.h"
#include "model/fused/attention.h"

#include <fmt/format.h>

namespace bench::harness {
namespace {

constexpr std::int64_t kHeads = 4, kGroups = 2, kTokens = 70;
constexpr torch::Dtype kDtypes[] = {torch::kFloat32, torch::kBFloat16};
// A kernel may mask several queries at once, and so let the first of them see the others: 1 behind a multiple of 4, 8,
// 16 and 32, and one in the middle.
constexpr std::int64_t kCuts[] = {33, 50, 69};

/// x, with other numbers, and larger ones, from position `cut` of dimension `dim` on.
torch::Tensor changed_from(const torch::Tensor& x, std::int64_t dim, std::int64_t cut) {
  torch::Tensor y = x.clone();
  const torch::Tensor later = y.narrow(dim, cut, y.size(dim) - cut);
  later.copy_(normal_numbers(later.sizes(), 99, y.scalar_type()) * 4);
  return y;
}

torch::Tensor on(const Device& device, const torch::Tensor& x, bool gradient) {
  return x.to(device.torch_device()).detach().requires_grad_(gradient);
}

/// causal_attention of the last `queries` of the positions: what it gives before `cut` must not change with the keys
/// and values from there on.
void outputs_of_heads(const Device& device, std::int64_t queries, std::int64_t head_dim, torch::Dtype dtype,
                      bool gradient, Worst& worst) {
  const torch::Tensor q = on(device, normal_numbers({1, kHeads, queries, head_dim}, 1, dtype), gradient);
  const torch::Tensor k = normal_numbers({1, kGroups, kTokens, head_dim}, 2, dtype);
  const torch::Tensor v = normal_numbers({1, kGroups, kTokens, head_dim}, 3, dtype);
  const auto attend = [&](const torch::Tensor& keys, const torch::Tensor& values) {
    return model::causal_attention(q, on(device, keys, gradient), on(device, values, gradient));
  };
  const torch::Tensor before = attend(k, v);
  for (const std::int64_t cut : kCuts) {
    const std::int64_t seen = cut - (kTokens - queries);  // queries before the cut
    if (seen < 1) continue;
    const torch::Tensor after = attend(changed_from(k, 2, cut), changed_from(v, 2, cut));
    worst.compare(after.narrow(2, 0, seen), before.narrow(2, 0, seen), dtype,
                  fmt::format("outputs before position {} of {}, {} queries, heads of {}, {}", cut, kTokens, queries,
                              head_dim, short_name(dtype)));
  }
}

/// The gradient of what causal_attention gives before the cut, by the keys and values from there on, must be 0.
void gradients_of_heads(const Device& device, torch::Dtype dtype, Worst& worst) {
  for (const std::int64_t cut : kCuts) {
    const torch::Tensor q = on(device, normal_numbers({1, kHeads, kTokens, 64}, 1, dtype), true);
    const torch::Tensor k = on(device, normal_numbers({1, kGroups, kTokens, 64}, 2, dtype), true);
    const torch::Tensor v = on(device, normal_numbers({1, kGroups, kTokens, 64}, 3, dtype), true);
    model::causal_attention(q, k, v).narrow(2, 0, cut).sum().backward();
    for (const torch::Tensor& x : {k, v})
      worst.add(largest(x.grad().narrow(2, cut, kTokens - cut)), tolerated_share(dtype) * largest(x.grad()),
                fmt::format("gradient of outputs before position {} of {} by later ones, {}", cut, kTokens,
                            short_name(dtype)));
  }
}

/// The same of our tiled attention, within a tile: outputs, and gradients if there are any.
void tiles(const Device& device, torch::Dtype dtype, bool gradient, Worst& worst) {
  constexpr std::int64_t kHeadDim = 64, kLength = 90, kCut = 41;
  model::Rope rope(kHeadDim, kLength, 10000.0);
  const torch::Tensor cos = rope->cos(kLength).to(device.torch_device());
  const torch::Tensor sin = rope->sin(kLength).to(device.torch_device());
  const torch::Tensor q = on(device, normal_numbers({1, kLength, kHeads * kHeadDim}, 1, dtype), gradient);
  const torch::Tensor keys = normal_numbers({1, kLength, kGroups * kHeadDim}, 2, dtype);
  const torch::Tensor values = normal_numbers({1, kLength, kGroups * kHeadDim}, 3, dtype);
  const auto attend = [&](const torch::Tensor& k, const torch::Tensor& v) {
    return model::tiled_attention_plain(q, k, v, cos, sin, kHeadDim).narrow(1, 0, kCut);
  };
  const torch::Tensor k = on(device, keys, gradient), v = on(device, values, gradient);
  const torch::Tensor before = attend(k, v);
  worst.compare(
      attend(on(device, changed_from(keys, 1, kCut), false), on(device, changed_from(values, 1, kCut), false)), before,
      dtype, fmt::format("outputs of tiles before position {}, {}", kCut, short_name(dtype)));
  if (!gradient) return;
  before.sum().backward();
  for (const torch::Tensor& x : {k, v})
    worst.add(largest(x.grad().narrow(1, kCut, kLength - kCut)), tolerated_share(dtype) * largest(x.grad()),
              fmt::format("gradient of tiles before position {} by later ones, {}", kCut, short_name(dtype)));
}

/// The same of the whole model. Tokens from the cut on are of a kind of their own, so that the embedding's gradient
/// shows how much of it comes from them.
void small_model_leaks(const Device& device, bool gradient, Worst& worst) {
  constexpr std::int64_t kLength = 70, kCut = 41, kFirstLate = 64;
  model::LanguageModel model = small_model(device);
  model->train(gradient);
  const std::int64_t vocabulary = model->config().vocab_size;
  const torch::Tensor early = token_row("early", kCut, 0, kFirstLate);
  const auto states = [&](const char* late) {
    const torch::Tensor ids = torch::cat({early, token_row(late, kLength - kCut, kFirstLate, vocabulary)}, 1);
    return model->hidden(ids.to(device.torch_device())).narrow(1, 0, kCut);
  };
  const torch::Tensor before = states("late");
  worst.compare(states("other late"), before, torch::kFloat32, "the model's states before changed tokens");
  if (!gradient) return;
  (before * normal_numbers(before.sizes(), 4).to(device.torch_device())).sum().backward();
  const torch::Tensor by_token = model->parameters()[0].grad();  // of the embedding [V, C]
  worst.add(largest(by_token.narrow(0, kFirstLate, vocabulary - kFirstLate)),
            tolerated_share(torch::kFloat32) * largest(by_token),
            "gradient of the model's states by the embedding of later tokens");
}

Finding leaks(const Device& device, bool gradient) {
  const torch::AutoGradMode mode(gradient);
  Worst worst;
  for (const torch::Dtype dtype : kDtypes) {
    for (const std::int64_t head_dim : {64, 128})
      for (const std::int64_t queries : {kTokens, std::int64_t{24}})
        outputs_of_heads(device, queries, head_dim, dtype, gradient, worst);
    if (gradient) gradients_of_heads(device, dtype, worst);
    tiles(device, dtype, gradient, worst);
  }
  small_model_leaks(device, gradient, worst);
  return worst.finding();
}

}  // namespace

Finding probe_causal_leak(const Device& device) { return leaks(device, /*gradient=*/false); }
Finding probe_causal_leak_with_gradients(const Device& device) { return leaks(device, /*gradient=*/true); }

}  // namespace bench::harness
