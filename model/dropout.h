#pragma once

#include "model/tensor.h"

#include <cstdint>

namespace bench::model {

/// A place in a training run. The masks of all dropouts follow from it, so nothing has to be kept for them: a pass that
/// is computed again, a run that is resumed, and other divisions of a step into micro-batches or processes drop the
/// same elements.
struct DropoutKey {
  std::uint64_t seed = 0;           // of the run
  std::int64_t step = 0;            // of the optimizer
  std::int64_t first_sequence = 0;  // the number of the pass's first sequence among those of the step
};

/// One dropout of a model in a pass at `key`. Each dropout of a model has its own number.
struct DropoutSite {
  DropoutKey key;
  std::int64_t number = 0;

  /// The seed of the mask for one sequence of the pass.
  std::uint64_t seed(std::int64_t sequence) const;
};

/// Sets elements of x to zero with that probability, and divides the others by 1 - probability. x [B, ...] has B
/// sequences, each with a mask of its own. On the native path the mask of an element follows from its sequence's seed
/// and its place alone. Elsewhere LibTorch's generator of the device makes it from the seed, so masks differ between
/// kinds of device; the CPU's generator takes 32 bits of the seed.
torch::Tensor dropout(const torch::Tensor& x, double probability, const DropoutSite& site);

/// Returns residual + dropout(x), in one pass where there are kernels.
torch::Tensor dropout_add(const torch::Tensor& residual, const torch::Tensor& x, double probability,
                          const DropoutSite& site);

}  // namespace bench::model
