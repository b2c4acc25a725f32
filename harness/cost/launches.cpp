#include "harness/cost/launches.h"

namespace bench::harness {
namespace {

constexpr LaunchPart kLayer[] = {
    {"residual and norm, after attention", 2, 1},
    {"product for q, k and v", 1, 1},
    {"rotation into the cache", 7, 1},
    {"attention", 1, 1},
    {"product for the attention's result", 1, 1},
    {"product for gate and up", 1, 1},
    {"SwiGLU", 2, 1},
    {"product for the feed-forward's result", 1, 1},
    {"residual and norm, after the feed-forward", 2, 1},
};
// The norm behind the last layer is that layer's own.
constexpr LaunchPart kToken[] = {
    {"embedding", 1, 1},
    {"norm before the first layer", 1, 1},
    {"product for the logits", 1, 1},
    {"greedy choice of the next token", 1, 1},
};

DecodeLaunches sum(std::span<const LaunchPart> parts) {
  DecodeLaunches total;
  for (const auto& part : parts) {
    total.with_operators += part.with_operators;
    total.with_kernels += part.with_kernels;
  }
  return total;
}

}  // namespace

std::span<const LaunchPart> layer_launches() { return kLayer; }
std::span<const LaunchPart> token_launches() { return kToken; }

DecodeLaunches decode_launches(const model::ModelConfig& model) {
  const DecodeLaunches layer = sum(kLayer), token = sum(kToken);
  return {model.num_layers * layer.with_operators + token.with_operators,
          model.num_layers * layer.with_kernels + token.with_kernels};
}

}  // namespace bench::harness
